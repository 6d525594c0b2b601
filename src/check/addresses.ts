import { djangoFactsOf } from '../contracts/project-facts.js';
import { describeAddresses } from '../project/owned-addresses.js';
import type { Check } from './check.js';

/** What the project itself, and its URLconf, have to say: the start logs these sentences as `project-warning`. */
export const addressChecks: readonly Check[] = [
  {
    name: 'urls-broken',
    severity: 'error',
    doc: 'The URLconf cannot be loaded, which keeps every process from being ready',
    isQuick: false,
    find: ({ project, settings }) =>
      djangoFactsOf(project)?.urlsFailure === undefined
        ? []
        : describeAddresses(project, settings).map((message) => ({
            message,
            fix: 'python manage.py check',
          })),
  },
  {
    name: 'addresses-shared',
    severity: 'note',
    doc: 'Files and a view of the URLconf want the same addresses; one of them is never asked',
    isQuick: false,
    find: ({ project, settings }) =>
      djangoFactsOf(project)?.urlsFailure !== undefined
        ? []
        : describeAddresses(project, settings).map((message) => ({
            message,
            fix: 'give the files a prefix of their own, or set serveMedia to what is meant',
          })),
  },
  {
    name: 'project-warning',
    severity: 'note',
    doc: 'Something was found in the project and left out; the sentence says what',
    isQuick: false,
    find: ({ project }) => project.warnings.map((message) => ({ message, fix: '' })),
  },
];

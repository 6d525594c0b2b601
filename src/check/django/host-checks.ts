import { type Check, djangoCheck } from '../check.js';
import { isAllowedHost } from './allowed-host.js';

export const hostChecks: readonly Check[] = [
  djangoCheck({
    name: 'domain-refused',
    severity: 'error',
    doc: 'A name of `domains` or `canonicalHost` that `ALLOWED_HOSTS` refuses',
    find({ project: { django, settingsModule }, settings }) {
      // Empty: allowed-hosts-empty says so; with DEBUG it means this machine, which no domain is.
      if (django.allowedHosts.length === 0) return [];
      const { domains, canonicalHost } = settings;
      const names = new Set([...domains, ...(canonicalHost === null ? [] : [canonicalHost])]);
      const refused = [...names].filter((name) => !isAllowedHost(name, django.allowedHosts));
      if (refused.length === 0) return [];
      const list = refused.map((name) => JSON.stringify(name)).join(', ');
      return [
        {
          message: `ALLOWED_HOSTS refuses ${refused.join(', ')}: Django answers visitors of that name with 400.`,
          fix: `ALLOWED_HOSTS += [${list}] in ${settingsModule}`,
        },
      ];
    },
  }),
];

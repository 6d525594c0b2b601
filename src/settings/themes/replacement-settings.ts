import { duration, integer, size } from '../formats.js';
import { defineSetting } from '../setting-definition.js';

export const replacementSettings = {
  recycleRequests: defineSetting({
    format: integer(0, Number.MAX_SAFE_INTEGER),
    default: 0,
    doc: 'Requests after which a process is replaced by a new one, plus up to 10 % by chance. 0 for never.',
    effect: 'live',
  }),
  recycleMemoryBytes: defineSetting({
    format: size(0),
    default: 0,
    doc: 'Resident memory above which a process is replaced. 0 for never.',
    effect: 'live',
  }),
  recycleLifetimeMs: defineSetting({
    format: duration(0),
    default: 0,
    doc: 'Age at which a process is replaced. 0 for never.',
    effect: 'live',
  }),
  restartBackoffMs: defineSetting({
    format: duration(1),
    default: 200,
    doc: 'Pause before a process that did not start is tried again; it doubles with each failure. One that crashes at work comes back at once.',
    effect: 'live',
  }),
  restartBackoffMaxMs: defineSetting({
    format: duration(1),
    default: 30_000,
    doc: 'Longest pause between two such tries.',
    effect: 'live',
  }),
  restartBudget: defineSetting({
    format: integer(1, 10_000),
    default: 5,
    doc: 'Failed starts within restartWindowMs after which the site answers 503 at once and tries again only at the longest pause.',
    effect: 'live',
  }),
  restartWindowMs: defineSetting({
    format: duration(1),
    default: 60_000,
    doc: 'The time in which failed starts are counted.',
    effect: 'live',
  }),
};

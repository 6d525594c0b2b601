import { hostHeader, oneOrMorePaths } from '../address-formats.js';
import { duration, integer, nullable } from '../formats.js';
import { defineSetting } from '../setting-definition.js';

export const lifecycleSettings = {
  readyTimeoutMs: defineSetting({
    format: duration(1),
    default: 60_000,
    doc: 'How long an application process may take from its start until it is ready.',
    effect: 'live',
  }),
  healthPath: defineSetting({
    format: oneOrMorePaths,
    default: '/',
    doc: 'Path, or a list of paths, that a new process is asked for before it gets requests. At a reload, one with a status of 500 or above, or none, refuses the new release, unless the release that serves fails there too. At the first start a failure is only reported. Below `scriptName`.',
    effect: 'live',
  }),
  healthHost: defineSetting({
    format: nullable(hostHeader),
    default: null,
    doc: 'Host header of that probe. Unset: `canonicalHost`, the first of `domains`, the first whole name in ALLOWED_HOSTS, else localhost.',
    effect: 'live',
  }),
  healthTimeoutMs: defineSetting({
    format: duration(1),
    default: 10_000,
    doc: 'How long the probe of one path may take, with the redirects that it follows.',
    effect: 'live',
  }),
  startConcurrency: defineSetting({
    format: integer(1, 1024),
    default: 2,
    doc: 'How many new application processes of one front start at the same time. Half as many at a reload, while the old ones serve.',
    effect: 'live',
  }),
  drainTimeoutMs: defineSetting({
    format: duration(0),
    default: 30_000,
    doc: 'How long requests in flight may take to finish on a reload or stop.',
    effect: 'live',
  }),
  streamDrainTimeoutMs: defineSetting({
    format: duration(0),
    default: 300_000,
    doc: 'How long WebSockets and event streams may go on with the old application after a reload. A stop ends them at once.',
    effect: 'live',
  }),
  killTimeoutMs: defineSetting({
    format: duration(0),
    default: 5000,
    doc: 'How long a process that was told to end (SIGTERM) may take, with those that it has started, before they are killed (SIGKILL).',
    effect: 'live',
  }),
};

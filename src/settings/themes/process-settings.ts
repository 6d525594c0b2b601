import { hostAddress } from '../address-formats.js';
import { autoOr, integer, nullable } from '../formats.js';
import { defineSetting } from '../setting-definition.js';

export const processSettings = {
  host: defineSetting({
    format: nullable(hostAddress),
    default: null,
    doc: "Address to listen on. Unset: 0.0.0.0, or 127.0.0.1 while Django's DEBUG is on.",
    effect: 'listeners',
  }),
  port: defineSetting({
    format: nullable(integer(0, 65_535)),
    default: null,
    doc: 'Port to listen on; 0 takes any free one. Unset: 80 where the process may bind it, else 8000.',
    effect: 'listeners',
  }),
  processes: defineSetting({
    format: autoOr(integer(1, 1024)),
    default: 1,
    doc: 'Application processes in all. With 1 the site runs in single-process threaded mode, with more in cluster mode; "auto" decides by CPU cores and memory.',
    effect: 'generation',
  }),
  threads: defineSetting({
    format: autoOr(integer(1, 1024)),
    default: 'auto',
    doc: 'Threads of each application process: how many requests it works on at the same time.',
    effect: 'generation',
  }),
  fronts: defineSetting({
    format: autoOr(integer(1, 256)),
    default: 'auto',
    doc: 'HTTP fronts of cluster mode, at most one for each process. "auto" takes one for every four.',
    effect: 'restart',
  }),
};

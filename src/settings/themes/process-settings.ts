import { hostAddress } from '../address-formats.js';
import { autoOr, integer, nullable, textLike } from '../formats.js';
import { defineSetting } from '../setting-definition.js';

/** useradd(8) makes such names; directory services add dots, and the domain behind an @. */
const account = (whose: string) =>
  textLike(/^(?:[a-z_][\w.@-]*\$?|0|[1-9][0-9]{0,9})$/i, `the name or number of a ${whose}`);

export const processSettings = {
  host: defineSetting({
    format: nullable(hostAddress),
    default: null,
    doc: "Address to listen on. Unset: every address of this machine, IPv4 and IPv6, or 127.0.0.1 while Django's DEBUG is on. unix:/run/shop/site.sock listens on a Unix socket, without a port, for a proxy on the same machine.",
    effect: 'listeners',
  }),
  socketMode: defineSetting({
    format: textLike(/^0?[0-7]{3}$/, 'an octal mode in quotes, like "0660"'),
    default: '0666',
    doc: 'Who may connect to a Unix socket of host: its mode. By default every user of this machine, as with a port.',
    effect: 'restart',
  }),
  socketGroup: defineSetting({
    format: nullable(account('group')),
    default: null,
    doc: "Group of a Unix socket of host, like that of the proxy: one of the site's user, unless root runs the site. Unset: the user's own.",
    effect: 'restart',
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
  affinity: defineSetting({
    format: textLike(
      /^(?:auto|off|engine\.io|(?:cookie|header):[!#$%&'*+.^_`|~0-9A-Za-z-]+)$/,
      '"auto", "off", "engine.io", "cookie:NAME" or "header:NAME"',
    ),
    default: 'auto',
    doc: 'With several processes: what names the session of a request that only the process that began it can answer. "engine.io" is Socket.IO by long polling, which "auto" takes where that is among the packages of the project; a cookie or a header that the application sets may name it too. There is one front then.',
    effect: 'restart',
  }),
};

export const privilegeSettings = {
  user: defineSetting({
    format: nullable(account('user')),
    default: null,
    doc: 'User that handles the requests and runs the application when root starts easyserve: root only binds the ports. Unset: the owner of the project folder; "root" has to be said. Root says it on the command line, in the environment, or in a settings file that root alone can write. Fixed from start to stop.',
    effect: 'restart',
  }),
  group: defineSetting({
    format: nullable(account('group')),
    default: null,
    doc: "Group of that user's processes, when root starts easyserve. Unset: the user's own group. Said by root alone, like user. Fixed from start to stop.",
    effect: 'restart',
  }),
};

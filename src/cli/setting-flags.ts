import type { SettingFlag } from '../settings/flag-layer.js';

/** Flag, value ('' for one that is on by being there), setting, help. */
export type NamedFlag = readonly [string, string, SettingFlag['key'], string];

export const userFlag: NamedFlag = [
  '--user',
  'name',
  'user',
  'user of the service (default: the owner of the folder)',
];

/** Settings that have a flag of their own; --set is for all others. */
export const settingFlags: readonly NamedFlag[] = [
  ['--domain', 'name', 'domains', 'host name to get a certificate for; may be repeated'],
  ['--https', '', 'https', 'serve HTTPS; without a domain, with a certificate for development'],
  ['--host', 'address', 'host', 'address to listen on'],
  ['--port', 'number', 'port', 'port to listen on; 0: any free one'],
  ['--processes', 'count|auto', 'processes', 'application processes'],
  ['--threads', 'count|auto', 'threads', 'threads of each application process'],
  ['--fronts', 'count|auto', 'fronts', 'HTTP fronts of cluster mode'],
  ['--log-format', 'pretty|json', 'logFormat', 'for people or for programs'],
];

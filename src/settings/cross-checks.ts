import { defaultPorts } from '../contracts/scheme.js';
import type { Origins } from './layer.js';
import type { Problem } from './problem.js';
import type { SettingKey } from './schema.js';
import { type Settings, wantsHttps } from './settings.js';

/** Values that are right by themselves and wrong together. */
export function findConflicts(settings: Settings, origins: Origins): Problem[] {
  const describe: Describe = (key) => `${key} = ${JSON.stringify(settings[key])} (${origins[key]})`;
  return checks
    .flatMap((check) => check(settings, describe))
    .map(([message, hint]) => ({ code: 'conflicting-settings', message, hint }));
}

// Private

/** By its name alone: whether only this machine reaches what listens there. */
export function isLocalHost(host: string | null): boolean {
  return host !== null && /^(?:127\.|::1$|localhost$|unix:)/.test(host);
}

type Describe = (key: SettingKey) => string;
type Conflict = readonly [message: string, hint: string];
type Check = (settings: Settings, describe: Describe) => readonly Conflict[];

/** Each of them says all about what is served. */
const alternatives = [
  ['command', 'folder'],
  ['command', 'app'],
  ['folder', 'app'],
] as const;

const checks: readonly Check[] = [
  ({ proxyProtocol, trustedProxies, host }, describe) =>
    proxyProtocol && (trustedProxies === 'auto' ? !isLocalHost(host) : trustedProxies.length === 0)
      ? [
          [
            `${describe('proxyProtocol')} needs to know whose PROXY headers are believed`,
            'set trustedProxies to the addresses of the proxies',
          ],
        ]
      : [],
  (settings, describe) =>
    alternatives
      .filter((keys) => keys.every((key) => settings[key] !== null))
      .map(([one, other]) => [
        `${describe(one)} and ${describe(other)} are two different things to serve`,
        'keep one of them',
      ]),
  ({ fronts, processes }, describe) => {
    if (typeof fronts !== 'number' || typeof processes !== 'number' || fronts <= processes) return [];
    const message = `${describe('fronts')} is more than ${describe('processes')}, and each front needs a process of its own`;
    return [[message, `set fronts to at most ${processes}, or processes to at least ${fronts}`]];
  },
  ({ restartBackoffMs, restartBackoffMaxMs }, describe) => {
    if (restartBackoffMs <= restartBackoffMaxMs) return [];
    const message = `${describe('restartBackoffMs')} is more than ${describe('restartBackoffMaxMs')}`;
    return [[message, 'set restartBackoffMaxMs to the longest pause, restartBackoffMs to the first']];
  },
  (settings, describe) => {
    if (!settings.host?.startsWith('unix:') || !wantsHttps(settings)) return [];
    const message = `${describe('host')} is for a proxy that does TLS, and HTTPS needs a port`;
    return [[message, 'set https = false; or leave host away, and HTTPS is served without a proxy']];
  },
  (settings, describe) => {
    const { port, httpsPort } = settings;
    // 0 is any free port, so two of them are different.
    if (port === null || port === 0 || port !== (httpsPort ?? defaultPorts.https)) return [];
    if (!wantsHttps(settings)) return [];
    const message = `${describe('port')} is the port of HTTPS, and HTTP needs one of its own`;
    return [[message, 'leave port away: HTTP is then served on port 80, and sends visitors on to HTTPS']];
  },
  (settings, describe) =>
    (['tlsKey', 'tlsPassphraseFile'] as const)
      .filter((key) => settings[key] !== null && settings.tlsCert === null)
      .map((key) => [
        `${describe(key)} belongs to a certificate, and tlsCert is not set`,
        'set tlsCert to the file of the certificate',
      ]),
  ({ acmeEabKeyId, acmeEabHmacKeyFile }) => {
    if ((acmeEabKeyId === null) === (acmeEabHmacKeyFile === null)) return [];
    const message =
      'of acmeEabKeyId and acmeEabHmacKeyFile only one is set, and an account binding needs both';
    return [[message, 'set both, as the certificate authority has given them, or none']];
  },
];

import { defaultPorts } from '../contracts/scheme.js';
import type { Origins } from './layer.js';
import type { Problem } from './problem.js';
import type { SettingKey } from './schema.js';
import { type Settings, wantsHttps } from './settings.js';

/** Each of them says all about what is served. */
const alternatives = [
  ['command', 'folder'],
  ['command', 'app'],
  ['folder', 'app'],
] as const;

/** Values that are right by themselves and wrong together. Called by settings/load last. */
export function findConflicts(settings: Settings, origins: Origins): Problem[] {
  const describe: Describe = (key) => `${key} = ${JSON.stringify(settings[key])} (${origins[key]})`;
  const problems = findAlternatives(settings, describe);
  const { fronts, processes } = settings;
  if (typeof fronts === 'number' && typeof processes === 'number' && fronts > processes) {
    problems.push({
      code: 'conflicting-settings',
      message: `${describe('fronts')} is more than ${describe('processes')}, and each front needs a process of its own`,
      hint: `set fronts to at most ${processes}, or processes to at least ${fronts}`,
    });
  }
  if (settings.restartBackoffMs > settings.restartBackoffMaxMs) {
    problems.push({
      code: 'conflicting-settings',
      message: `${describe('restartBackoffMs')} is more than ${describe('restartBackoffMaxMs')}`,
      hint: 'set restartBackoffMaxMs to the longest pause, restartBackoffMs to the first',
    });
  }
  const { port } = settings;
  if (
    port !== null &&
    port !== 0 &&
    port === (settings.httpsPort ?? defaultPorts.https) &&
    wantsHttps(settings)
  ) {
    problems.push({
      code: 'conflicting-settings',
      message: `${describe('port')} is the port of HTTPS, and HTTP needs one of its own`,
      hint: `leave port away: HTTP is then served on port ${defaultPorts.http}, and sends visitors on to HTTPS`,
    });
  }
  for (const key of ['tlsKey', 'tlsPassphraseFile'] as const) {
    if (settings[key] === null || settings.tlsCert !== null) continue;
    problems.push({
      code: 'conflicting-settings',
      message: `${describe(key)} belongs to a certificate, and tlsCert is not set`,
      hint: 'set tlsCert to the file of the certificate',
    });
  }
  if ((settings.acmeEabKeyId === null) !== (settings.acmeEabHmacKeyFile === null)) {
    problems.push({
      code: 'conflicting-settings',
      message: 'of acmeEabKeyId and acmeEabHmacKeyFile only one is set, and an account binding needs both',
      hint: 'set both, as the certificate authority has given them, or none',
    });
  }
  return problems;
}

// Private

type Describe = (key: SettingKey) => string;

function findAlternatives(settings: Settings, describe: Describe): Problem[] {
  return alternatives
    .filter((keys) => keys.every((key) => settings[key] !== null))
    .map(([one, other]) => ({
      code: 'conflicting-settings',
      message: `${describe(one)} and ${describe(other)} are two different things to serve`,
      hint: 'keep one of them',
    }));
}

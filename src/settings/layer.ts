import { nearestName } from './nearest-name.js';
import type { Problem } from './problem.js';
import type { SettingKey } from './schema.js';
import { toKeySpelling } from './setting-name.js';

/** A value as one source gives it, not checked yet. */
export interface LayerEntry {
  readonly key: SettingKey;
  readonly value: unknown;
  /** For `easyserve config`; see Origins. */
  readonly origin: string;
  /** Where the reader finds it, with its name as written there: `easyserve.toml line 3: port`. */
  readonly where: string;
}

/** Where each value came from: `default`, `Django EASYSERVER`, `easyserve.toml`, `environment EASYSERVE_PORT`, `--port`. */
export type Origins = Readonly<Record<SettingKey, string>>;

/** What one source says, and what is wrong about it beyond the values themselves. */
export interface Layer {
  readonly entries: readonly LayerEntry[];
  readonly problems: readonly Problem[];
}

/** As gunicorn, uvicorn, pm2 and others call it, without marks between the words. */
const foreignNames: ReadonlyMap<string, SettingKey> = new Map([
  ['workers', 'processes'],
  ['instances', 'processes'],
  ['bind', 'host'],
  ['address', 'host'],
  ['listen', 'host'],
  ['domain', 'domains'],
  ['hostname', 'host'],
  ['wsgi', 'app'],
  ['wsgiapp', 'app'],
  ['module', 'app'],
  ['timeout', 'requestTimeoutMs'],
  ['gracefultimeout', 'drainTimeoutMs'],
  ['keepalive', 'keepAliveTimeoutMs'],
  ['maxrequests', 'recycleRequests'],
  ['maxbodysize', 'maxBodyBytes'],
  ['clientmaxbodysize', 'maxBodyBytes'],
  ['certfile', 'tlsCert'],
  ['keyfile', 'tlsKey'],
  ['forwardedallowips', 'trustedProxies'],
  ['rootpath', 'scriptName'],
  ['reload', 'watch'],
  ['settings', 'settingsModule'],
  ['djangosettingsmodule', 'settingsModule'],
  ['root', 'folder'],
]);

/** `known` are the names as this source spells them; `prefix` begins each of them and is left out of the comparison. */
export function unknownSetting(place: string, name: string, known: Iterable<string>, prefix = ''): Problem {
  const bare = Array.from(known, (each) => each.slice(prefix.length));
  const foreign = foreignNames.get(toKeySpelling(name.slice(prefix.length)).toLowerCase());
  const meant =
    bare.find((each) => toKeySpelling(each) === foreign) ?? nearestName(name.slice(prefix.length), bare);
  return {
    code: 'unknown-setting',
    message: `${place}: unknown setting ${JSON.stringify(name)}`,
    hint: meant === undefined ? undefined : `did you mean ${JSON.stringify(prefix + meant)}?`,
  };
}

export function duplicateSetting(place: string, name: string, first: LayerEntry): Problem {
  return {
    code: 'duplicate-setting',
    message: `${place}: ${name} sets ${first.key} a second time`,
    hint: `the first time is ${first.where}`,
  };
}

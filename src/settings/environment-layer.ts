import { type Layer, type LayerEntry, unknownSetting } from './layer.js';
import type { Problem } from './problem.js';
import { type SettingKey, schema, settingKeys } from './schema.js';
import { environmentName, environmentPrefix } from './setting-name.js';

export type Environment = Readonly<Record<string, string | undefined>>;

/** What hosting platforms set; a variable of our own counts more. */
const platformNames: ReadonlyMap<string, SettingKey> = new Map([
  ['PORT', 'port'],
  ['WEB_CONCURRENCY', 'processes'],
]);

const ownNames: ReadonlyMap<string, SettingKey> = new Map(
  settingKeys.map((key) => [environmentName(key), key]),
);

/**
 * Not meant as settings: what the project's own tests are told, and what Kubernetes tells each container of a service that is called
 * `easyserve` (Kubernetes, "Service", "Environment variables").
 */
const otherNames =
  /^EASYSERVE_(?:TEST_\w+|SERVICE_HOST|SERVICE_PORT(?:_\w+)?|PORT_\d+_(?:TCP|UDP|SCTP)(?:_(?:PROTO|PORT|ADDR))?)$/;
const serviceAddress = /^(?:tcp|udp|sctp):\/\//;

/** What the environment says. An empty variable of a platform counts as unset; our own may be empty (no host, no list). */
export function readEnvironmentLayer(environment: Environment): Layer {
  const entries = new Map<SettingKey, LayerEntry>();
  const problems: Problem[] = [];
  for (const [name, key] of platformNames) {
    const text = environment[name];
    if (text !== undefined && text !== '') entries.set(key, toEntry(name, key, text));
  }
  for (const [name, text] of Object.entries(environment)) {
    if (text === undefined || !name.startsWith(environmentPrefix) || isOfOthers(name, text)) continue;
    const key = ownNames.get(name);
    if (key === undefined)
      problems.push(unknownSetting('environment', name, ownNames.keys(), environmentPrefix));
    else entries.set(key, toEntry(name, key, text));
  }
  return { entries: [...entries.values()], problems };
}

function isOfOthers(name: string, text: string): boolean {
  return otherNames.test(name) || (name === environmentName('port') && serviceAddress.test(text));
}

function toEntry(name: string, key: SettingKey, text: string): LayerEntry {
  const origin = `environment ${name}`;
  return { key, value: schema[key].format.read(text), origin, where: origin };
}

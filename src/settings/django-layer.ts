import { isTable } from './formats.js';
import { duplicateSetting, type Layer, type LayerEntry, unknownSetting } from './layer.js';
import type { Problem } from './problem.js';
import { type SettingKey, settingKeys } from './schema.js';
import { environmentName, toConstantSpelling } from './setting-name.js';

/** The two settings as they stand in Django; undefined or null where missing. */
export interface DjangoSource {
  readonly easyserver: unknown;
  readonly cheroot: unknown;
  /** Dotted name, for messages. */
  readonly settingsModule: string;
}

/** Every key in capitals, and the names of the package django-easyserver, its misspelt one too. */
const names: ReadonlyMap<string, SettingKey> = new Map<string, SettingKey>([
  ...settingKeys.map((key) => [toConstantSpelling(key), key] as const),
  ['IP', 'host'],
  ['WELL_KOWN_ROOT', 'wellKnownRoot'],
]);

/** What Django's EASYSERVER says. */
export function readEasyserverLayer(source: DjangoSource): Layer {
  const origin = 'Django EASYSERVER';
  const place = `${origin} (${source.settingsModule})`;
  const { easyserver } = source;
  if (easyserver === undefined || easyserver === null) return { entries: [], problems: [] };
  if (!isTable(easyserver)) {
    const example = 'EASYSERVER = {"PORT": 8000}';
    const message = `${place} must be a dict, not ${JSON.stringify(easyserver)}`;
    return {
      entries: [],
      problems: [{ code: 'malformed-setting', message, hint: `write it like ${example}` }],
    };
  }
  const entries = new Map<SettingKey, LayerEntry>();
  const problems: Problem[] = [];
  for (const [name, value] of Object.entries(easyserver)) {
    const key = names.get(name);
    const first = key && entries.get(key);
    if (key === 'user' || key === 'group') problems.push(tooLate(place, name, key));
    else if (key === undefined) problems.push(unknownSetting(place, name, names.keys()));
    else if (first !== undefined) problems.push(duplicateSetting(place, name, first));
    else entries.set(key, { key, value, origin, where: `${place}: ${name}` });
  }
  return { entries: [...entries.values()], problems };
}

/** Django's settings are code of the project, which root never runs: they are read after root has become the user. */
function tooLate(place: string, name: string, key: 'user' | 'group'): Problem {
  return {
    code: 'misplaced-setting',
    message: `${place}: ${name} is needed before Django's settings are read`,
    hint: `set ${key} in easyserve.toml, with --set ${key}=… or with ${environmentName(key)}`,
  };
}

/** Django's CHEROOT, kept whole; loadSettings takes the number of threads from it. */
export function readCherootLayer(source: DjangoSource): Layer {
  const { cheroot } = source;
  if (cheroot === undefined || cheroot === null) return { entries: [], problems: [] };
  const origin = 'Django CHEROOT';
  const where = `${origin} (${source.settingsModule})`;
  return { entries: [{ key: 'cheroot', value: cheroot, origin, where }], problems: [] };
}

import { CheckedValues } from './checked-values.js';
import { findConflicts } from './cross-checks.js';
import { type DjangoSource, readCherootLayer, readEasyserverLayer } from './django-layer.js';
import { type Environment, readEnvironmentLayer } from './environment-layer.js';
import { readFileLayer } from './file-layer.js';
import { readFlagLayer, type SettingFlag } from './flag-layer.js';
import { isTable, resolveFolders } from './formats.js';
import type { Layer, LayerEntry, Origins } from './layer.js';
import { findForeignHand } from './path-entries.js';
import { type Problem, throwProblems } from './problem.js';
import { refuseForeignWords } from './root-rights.js';
import { type SettingKey, schema, settingKeys } from './schema.js';
import type { Settings } from './settings.js';
import { findSettingsFile, readSettingsFile, type SettingsFile } from './settings-file.js';

export interface SettingsSources {
  /** Absolute. The settings file is looked for here, and relative folders begin here. */
  readonly projectDir: string;
  /** In place of the search; relative to projectDir. */
  readonly configFile?: string | undefined;
  readonly env: Environment;
  readonly flags: readonly SettingFlag[];
  /** Undefined before Django was asked, and for a project that is not Django. */
  readonly django?: DjangoSource | undefined;
  /** For the life of the instance, after root's rights are given up too: not everybody's word counts then (root-rights). */
  readonly isStartedByRoot?: boolean | undefined;
}

export interface LoadedSettings {
  /** Frozen, all the way down. */
  readonly settings: Settings;
  readonly origins: Origins;
  /** Absolute path of the settings file in use. */
  readonly file: string | undefined;
}

/**
 * Puts the settings together; the later source wins, and each is checked even where a later one overrides it.
 *
 * Throws SettingsError with everything that is wrong: the first problem as its message, the rest in its detail.
 */
export function loadSettings(sources: SettingsSources): LoadedSettings {
  const file = findSettingsFile(sources.projectDir, sources.configFile);
  const values = new CheckedValues();
  const origins = Object.fromEntries(settingKeys.map((key) => [key, 'default'])) as Record<
    SettingKey,
    string
  >;
  const problems: Problem[] = [];
  for (const layer of readLayers(sources, file)) {
    problems.push(...layer.problems, ...takeLayer(layer, values, origins, sources.projectDir));
  }
  const settings = values.toSettings();
  if (problems.length === 0) problems.push(...findConflicts(settings, origins));
  throwProblems(problems);
  return { settings: freezeDeeply(settings), origins, file: file?.path };
}

/** The later a layer, the more it counts. */
function readLayers(sources: SettingsSources, file: SettingsFile | undefined): Layer[] {
  const { django } = sources;
  const guard: typeof refuseForeignWords = sources.isStartedByRoot ? refuseForeignWords : (layer) => layer;
  const ofDjango = django === undefined ? [] : [readCherootLayer(django), readEasyserverLayer(django)];
  const layers = [
    ...ofDjango.map((layer) => guard(layer, "Django's settings are code of the project")),
    ...(file === undefined
      ? []
      : [guard(readFileLayer(file.name, readSettingsFile(file)), findForeignHand(file.path))]),
    readEnvironmentLayer(sources.env),
    readFlagLayer(sources.flags),
  ];
  return layers.map(withCherootThreads);
}

/** Of Cheroot's two names for the same thing the first is the public one: cheroot.wsgi.Server, HTTPServer. */
const threadKeywords = ['numthreads', 'minthreads'] as const;

/**
 * Adds `threads` to a layer that gives `cheroot` with a number of threads and not `threads` itself, so that a site that
 * moves over keeps as many threads as it had.
 */
function withCherootThreads(layer: Layer): Layer {
  const cheroot = layer.entries.find((entry) => entry.key === 'cheroot');
  if (cheroot === undefined || !isTable(cheroot.value)) return layer;
  if (layer.entries.some((entry) => entry.key === 'threads')) return layer;
  for (const keyword of threadKeywords) {
    const value = cheroot.value[keyword];
    if (value === undefined) continue;
    const threads = { ...cheroot, key: 'threads', value, where: `${cheroot.where} ${keyword}` } as const;
    return { ...layer, entries: [...layer.entries, threads] };
  }
  return layer;
}

function takeLayer(
  layer: Layer,
  values: CheckedValues,
  origins: Record<SettingKey, string>,
  projectDir: string,
): Problem[] {
  const given = layer.entries.map(
    ({ key, value }) => [key, resolveFolders<unknown>(schema[key].format, value, projectDir)] as const,
  );
  const refused = values.take(new Map(given));
  for (const { key, origin } of layer.entries) {
    if (!refused.has(key)) origins[key] = origin;
  }
  return layer.entries.filter((entry) => refused.has(entry.key)).map(malformed);
}

const longestShownValue = 80;

function malformed({ key, value, where }: LayerEntry): Problem {
  // JSON has no word for what TOML and YAML write as nan and inf.
  const json = typeof value === 'number' ? String(value) : JSON.stringify(value);
  const shown = json.length > longestShownValue ? `${json.slice(0, longestShownValue)}…` : json;
  return {
    code: 'malformed-setting',
    message: `${where} must be ${schema[key].format.allowed}, not ${shown}`,
  };
}

function freezeDeeply<T>(value: T): T {
  if (typeof value !== 'object' || value === null || Object.isFrozen(value)) return value;
  for (const part of Object.values(value)) freezeDeeply(part);
  return Object.freeze(value);
}

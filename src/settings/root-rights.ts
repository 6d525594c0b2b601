import { lstatSync } from 'node:fs';
import { defaultPorts } from '../contracts/scheme.js';
import { type Environment, readEnvironmentLayer } from './environment-layer.js';
import { readFileLayer } from './file-layer.js';
import { readFlagLayer, type SettingFlag } from './flag-layer.js';
import type { Layer, LayerEntry } from './layer.js';
import { findForeignHand } from './path-entries.js';
import type { Problem } from './problem.js';
import { type SettingKey, schema } from './schema.js';
import { environmentName } from './setting-name.js';
import type { Settings } from './settings.js';
import { findSettingsFile, readSettingsFile } from './settings-file.js';

/**
 * Whose word counts when root has started easyserve. Whose rights the application gets, and which of root's own rights are used
 * for it, is said by root alone: on the command line, in the environment, or in a settings file that root alone can write. A
 * settings file in a user's folder says everything else.
 */

/** Of these settings, the values that give rights. */
const givesRights: Partial<Record<SettingKey, (value: unknown) => boolean>> = {
  user: (value) => value !== null,
  group: (value) => value !== null,
  port: isReservedPort,
  httpsPort: isReservedPort,
};

/** The rest below 1024 is that of other services: SSH, mail, DNS. Those of the web are what root is asked for. */
function isReservedPort(value: unknown): boolean {
  const isWeb = Object.values(defaultPorts).some((port) => port === value);
  return typeof value === 'number' && value > 0 && value < 1024 && !isWeb;
}

/** The layer without what only root may say, each a problem. `hand`: why these are not root's words. */
export function refuseForeignWords(layer: Layer, hand: string | undefined): Layer {
  if (hand === undefined) return layer;
  const isForeign = ({ key, value }: LayerEntry) => givesRights[key]?.(value) === true;
  const foreign = layer.entries.filter(isForeign);
  return {
    entries: layer.entries.filter((entry) => !isForeign(entry)),
    problems: [...layer.problems, ...foreign.map((entry) => refuse(entry, hand))],
  };
}

/** What the account is chosen by, before anything of a user's is read. */
export interface AccountWords extends Pick<Settings, 'user' | 'group'> {
  /** Why the settings file, where there is one, was not asked. */
  readonly foreignHand: string | undefined;
}

export interface AccountSources {
  readonly projectDir: string;
  readonly configFile?: string | undefined;
  readonly env: Environment;
  readonly flags: readonly SettingFlag[];
  readonly isStartedByRoot?: boolean | undefined;
}

/**
 * `user` and `group`, for root by root's word alone. What else is wrong, loadSettings says afterwards, as the user of the site. Throws
 * SettingsError for a settings file of root's that is none.
 */
export function readAccountWords(sources: AccountSources): AccountWords {
  const { projectDir, configFile, env, flags, isStartedByRoot = false } = sources;
  let foreignHand: string | undefined;
  const mayRead = (path: string): boolean => {
    const hand = isStartedByRoot ? findForeignHand(path) : undefined;
    if (hand !== undefined && isThere(path)) foreignHand ??= hand;
    return hand === undefined;
  };
  const file = findSettingsFile(projectDir, configFile, mayRead);
  const layers = [
    ...(file === undefined ? [] : [readFileLayer(file.name, readSettingsFile(file))]),
    readEnvironmentLayer(env),
    readFlagLayer(flags),
  ];
  const words: Record<'user' | 'group', string | null> = { user: null, group: null };
  for (const { key, value } of layers.flatMap(({ entries }) => entries)) {
    if (key !== 'user' && key !== 'group') continue;
    if (schema[key].format.accepts(value)) words[key] = value;
  }
  return { ...words, foreignHand: file === undefined ? foreignHand : undefined };
}

// Private

function isThere(path: string): boolean {
  try {
    return lstatSync(path, { throwIfNoEntry: false }) !== undefined;
  } catch {
    return false; // root without its capabilities may not look everywhere
  }
}

function refuse({ key, where }: LayerEntry, hand: string): Problem {
  return {
    code: 'setting-not-trusted',
    message: `${where} gives rights that only root may give away, and ${hand}`,
    hint: `sudo easyserve start --set ${key}=…, or ${environmentName(key)}, or a settings file that root alone can write: --config /etc/easyserve.toml`,
  };
}

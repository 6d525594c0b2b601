import { isDeepStrictEqual } from 'node:util';
import { schema, settingKeys } from './schema.js';
import type { SettingEffect, SettingKey } from './setting-definition.js';
import type { Settings } from './settings.js';

export interface SettingsChange {
  readonly key: SettingKey;
  readonly from: unknown;
  readonly to: unknown;
  readonly effect: SettingEffect;
}

/** What differs, in the schema's order. Called by a reload, which says it in the log and does what the effects need. */
export function compareSettings(before: Settings, after: Settings): SettingsChange[] {
  return settingKeys
    .filter((key) => !isDeepStrictEqual(before[key], after[key]))
    .map((key) => ({ key, from: before[key], to: after[key], effect: schema[key].effect }));
}

const effectsByStrength: readonly SettingEffect[] = ['live', 'generation', 'listeners', 'restart'];

/** undefined where nothing changed. */
export function strongestEffect(changes: readonly SettingsChange[]): SettingEffect | undefined {
  return effectsByStrength.findLast((effect) => changes.some((change) => change.effect === effect));
}

import { isDeepStrictEqual } from 'node:util';
import { type SettingKey, schema, settingKeys } from './schema.js';
import type { SettingEffect } from './setting-definition.js';
import type { Settings } from './settings.js';

export interface SettingsChange {
  readonly key: SettingKey;
  readonly from: unknown;
  readonly to: unknown;
  readonly effect: SettingEffect;
}

/** What differs, in the schema's order. A reload logs it, and does what the effects need. */
export function compareSettings(before: Settings, after: Settings): SettingsChange[] {
  return settingKeys
    .filter((key) => !isDeepStrictEqual(before[key], after[key]))
    .map((key) => ({ key, from: before[key], to: after[key], effect: schema[key].effect }));
}

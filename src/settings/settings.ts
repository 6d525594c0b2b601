import { isDeepStrictEqual } from 'node:util';
import { type SettingKey, schema, settingKeys } from './schema.js';
import type { SettingEffect } from './setting-definition.js';

/**
 * The one frozen value that the whole program reads; what each setting means, and its unit, stands at its definition in
 * themes/.
 *
 * loadSettings makes it from defaults, Django's EASYSERVER and CHEROOT, the settings file, the environment and the flags,
 * and throws SettingsError for what is wrong. Nothing else reads a setting from the environment or argv. A reload makes a new value.
 */
export interface Settings extends Values {}

type Values = { readonly [Key in SettingKey]: (typeof schema)[Key]['default'] };

/** Whether HTTPS is served: the settings say so, or hold something to serve it with. */
export function wantsHttps({ https, domains, tlsCert, tlsCertificates }: Settings): boolean {
  return https ?? (domains.length > 0 || tlsCert !== null || tlsCertificates.length > 0);
}

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

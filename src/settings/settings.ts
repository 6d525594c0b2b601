import type { SettingKey, schema } from './schema.js';

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

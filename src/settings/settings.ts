import type { SettingKey, schema } from './schema.js';

/**
 * The one frozen value that the whole program reads; what each setting means, and its unit, stands at its definition in
 * themes/.
 *
 * loadSettings makes it from defaults, Django's EASYSERVER and CHEROOT, the settings file, the environment and the flags,
 * and throws SettingsError for what is wrong. No other file reads process.env or argv. A reload makes a new value.
 */
export interface Settings extends Values {}

type Values = { readonly [Key in SettingKey]: (typeof schema)[Key]['default'] };

/** Whether HTTPS is served: the settings say so, or hold something to serve it with. */
export function wantsHttps({ https, domains, tlsCert, tlsCertificates }: Settings): boolean {
  return https ?? (domains.length > 0 || tlsCert !== null || tlsCertificates.length > 0);
}

import type { Settings } from '../../settings/settings.js';

const keys = [
  'acmeDirectory',
  'acmeEmail',
  'acmeAgreeTerms',
  'acmeKeyType',
  'acmeEabKeyId',
  'acmeEabHmacKeyFile',
  'acmeCaFile',
] as const satisfies readonly (keyof Settings)[];

/** What of the settings the orders go by. */
export type AcmeSettings = Pick<Settings, (typeof keys)[number]>;

/** Whether orders would go another way now. Settings that have to do with other things don't count. */
export function isAcmeChanged(before: AcmeSettings, after: AcmeSettings): boolean {
  return keys.some((key) => before[key] !== after[key]);
}

const letsEncrypt = 'https://acme-v02.api.letsencrypt.org/directory';
const letsEncryptStaging = 'https://acme-staging-v02.api.letsencrypt.org/directory';

/** Where the first order of a name is tried out; undefined where the directory has no such place that we know. */
export function stagingOf(directoryUrl: string): string | undefined {
  return directoryUrl === letsEncrypt ? letsEncryptStaging : undefined;
}

import type { SettingKey } from './schema.js';

/** How one key is spelled in the different sources. */

/**
 * Settings files and --set may write drainTimeoutMs, drain-timeout-ms or drain_timeout_ms; a dot joins two parts of a
 * name, so that tls.cert is tlsCert.
 */
export function toKeySpelling(name: string): string {
  const [first = '', ...rest] = name.split('.').map(toCamelCase);
  return first + rest.map((part) => part.slice(0, 1).toUpperCase() + part.slice(1)).join('');
}

function toCamelCase(name: string): string {
  const isCamelCase = !/[-_]/.test(name) && name !== name.toUpperCase();
  if (isCamelCase) return name;
  return name.toLowerCase().replace(/[-_]+([a-z0-9])/g, (_, letter: string) => letter.toUpperCase());
}

/** DRAIN_TIMEOUT_MS, as in Django's EASYSERVER. */
export function toConstantSpelling(key: SettingKey): string {
  return key.replace(/[A-Z]/g, (letter) => `_${letter}`).toUpperCase();
}

/** EASYSERVE_DRAIN_TIMEOUT_MS */
export function environmentName(key: SettingKey): string {
  return environmentPrefix + toConstantSpelling(key);
}

export const environmentPrefix = 'EASYSERVE_';

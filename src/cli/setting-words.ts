import { isSettingKey, schema } from '../settings/schema.js';
import { toKeySpelling } from '../settings/setting-name.js';
import type { Translate } from './foreign-flags.js';

/** A setting typed like a flag (`--trusted-proxies 10.0.0.1`, `--serve-media`) as --set takes it. */
export function translateSetting(flag: string): Translate | undefined {
  const key = flag.startsWith('--') ? toKeySpelling(flag.slice(2)) : '';
  if (!isSettingKey(key)) return undefined;
  // Alone it switches on. A parameter with a default does not count, so that the next word is none of its own.
  if (typeof schema[key].default === 'boolean') return (value = '') => [`--set ${key}=${value || 'true'}`];
  return (value) => [`--set ${key}=${value}`];
}

import { schema, settingKeys } from '../../src/settings/schema.js';
import type { Settings } from '../../src/settings/settings.js';

/** The settings of an empty project, with some changed. */
export function defaultSettings(changed: Partial<Settings> = {}): Settings {
  const defaults = Object.fromEntries(settingKeys.map((key) => [key, schema[key].default]));
  return { ...(defaults as unknown as Settings), ...changed };
}

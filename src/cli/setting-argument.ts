import type { SettingFlag } from '../settings/flag-layer.js';

/**
 * A setting of the command line, as it was typed, so that `easyserve config` names the same origin. Used where another
 * easyserve is started with it: start-daemon, and the unit that install writes.
 */
export function settingArgument({ key, value, flag }: SettingFlag): string {
  return flag.startsWith('--set ') ? `--set=${key}=${value}` : `${flag}=${value}`;
}

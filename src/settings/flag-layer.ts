import { type Layer, type LayerEntry, unknownSetting } from './layer.js';
import type { Problem } from './problem.js';
import { isSettingKey, type SettingKey, schema, settingKeys } from './schema.js';
import { toKeySpelling } from './setting-name.js';

/** One flag of the command line. `flag` is as messages call it: `--port`, or `--set port`. */
export interface SettingFlag {
  readonly key: string;
  readonly value: string;
  readonly flag: string;
}

/** What the command line says. Of a flag given twice the last counts, as people expect of commands. */
export function readFlagLayer(flags: readonly SettingFlag[]): Layer {
  const entries = new Map<SettingKey, LayerEntry>();
  const problems: Problem[] = [];
  for (const { key: name, value, flag } of flags) {
    const key = toKeySpelling(name);
    if (!isSettingKey(key)) problems.push(unknownSetting(flag, name, settingKeys));
    else entries.set(key, { key, value: schema[key].format.read(value), origin: flag, where: flag });
  }
  return { entries: [...entries.values()], problems };
}

import type { FileEntry } from './file-entry.js';
import { duplicateSetting, type Layer, type LayerEntry, unknownSetting } from './layer.js';
import type { Problem } from './problem.js';
import { isSettingKey, settingKeys } from './schema.js';
import type { SettingKey } from './setting-definition.js';
import { toKeySpelling } from './setting-name.js';

/** What the settings file says. `fileName` is as messages call the file. */
export function readFileLayer(fileName: string, fileEntries: readonly FileEntry[]): Layer {
  const entries = new Map<SettingKey, LayerEntry>();
  const problems: Problem[] = [];
  for (const { name, value, line } of fileEntries) {
    const place = `${fileName} line ${line}`;
    const key = toKeySpelling(name);
    if (!isSettingKey(key)) {
      problems.push(unknownSetting(place, name, settingKeys));
      continue;
    }
    const first = entries.get(key);
    if (first !== undefined) problems.push(duplicateSetting(place, name, first));
    else entries.set(key, { key, value, origin: fileName, where: `${place}: ${name}` });
  }
  return { entries: [...entries.values()], problems };
}

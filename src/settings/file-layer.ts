import type { FileEntry } from './file-entry.js';
import { isTable } from './formats.js';
import { duplicateSetting, type Layer, type LayerEntry, unknownSetting } from './layer.js';
import type { Problem } from './problem.js';
import { isSettingKey, type SettingKey, settingKeys } from './schema.js';
import { toKeySpelling } from './setting-name.js';

/** What the settings file says. `fileName` is as messages call the file. */
export function readFileLayer(fileName: string, fileEntries: readonly FileEntry[]): Layer {
  const entries = new Map<SettingKey, LayerEntry>();
  const problems: Problem[] = [];
  for (const { name, value, line } of fileEntries.flatMap(takeApart)) {
    const place = `${fileName} line ${line}`;
    const key = toKeySpelling(name);
    if (!isSettingKey(key)) {
      const problem = unknownSetting(place, name, settingKeys);
      problems.push(isTable(value) ? { ...problem, hint: withoutTable(name) } : problem);
      continue;
    }
    const first = entries.get(key);
    if (first !== undefined) problems.push(duplicateSetting(place, name, first));
    else entries.set(key, { key, value, origin: fileName, where: `${place}: ${name}` });
  }
  return { entries: [...entries.values()], problems };
}

function withoutTable(name: string): string {
  return `settings stand by themselves, without a table: leave the line of ${name} out`;
}

/** A table that is no setting holds settings whose names begin with its own: `[tls] cert = …` sets tlsCert. */
function takeApart(entry: FileEntry): FileEntry[] {
  const { name: prefix, value, line } = entry;
  const begin = toKeySpelling(prefix);
  if (isSettingKey(begin) || !isTable(value)) return [entry];
  if (!settingKeys.some((key) => key.startsWith(begin) && /^[A-Z]/.test(key.slice(begin.length))))
    return [entry];
  return Object.entries(value).map(([name, each]) => ({ name: `${prefix}.${name}`, value: each, line }));
}

import { createRequire } from 'node:module';
import type * as Yaml from 'yaml';
import { type FileEntry, FileSyntaxError } from './file-entry.js';

const load = createRequire(import.meta.url);

/**
 * Reads a YAML 1.2 mapping with the line of each name; an empty document has none. For settings/settings-file.
 *
 * In YAML 1.2 `no` is text, so that `compress: no` is refused by its format instead of being guessed at.
 */
export function readYaml(text: string): FileEntry[] {
  // 72 files, which few sites need: loaded when a settings file is in YAML.
  const { isMap, isNode, isScalar, LineCounter, parseDocument } = load('yaml') as typeof Yaml;
  const lines = new LineCounter();
  const document = parseDocument(text, { lineCounter: lines, prettyErrors: false, version: '1.2' });
  const [fault] = [...document.errors, ...document.warnings];
  if (fault !== undefined) throw new FileSyntaxError(fault.message, lines.linePos(fault.pos[0]).line);
  const { contents } = document;
  if (contents === null || (isScalar(contents) && contents.value === null)) return [];
  if (!isMap(contents)) throw new FileSyntaxError('settings are written as "name: value"', 1);
  return contents.items.map(({ key, value }) => {
    const line = isNode(key) ? lines.linePos(key.range?.[0] ?? 0).line : 1;
    if (!isScalar(key)) throw new FileSyntaxError('a name must be plain text', line);
    try {
      return { name: String(key.value), value: isNode(value) ? value.toJS(document) : null, line };
    } catch (cause) {
      // The guard against documents that grow by aliases of aliases; see yaml's maxAliasCount.
      throw new FileSyntaxError(cause instanceof Error ? cause.message : String(cause), line);
    }
  });
}

import { createRequire } from 'node:module';
import type * as Yaml from 'yaml';
import { type FileEntry, FileSyntaxError } from './file-entry.js';
import { isTable } from './formats.js';

const load = createRequire(import.meta.url);

/**
 * Reads a YAML 1.2 mapping with the line of each name; an empty document has none.
 *
 * In YAML 1.2 `no` is text, so that `compress: no` is refused by its format instead of being guessed at.
 */
export function readYaml(text: string): FileEntry[] {
  // 72 files, which few sites need: loaded when a settings file is in YAML or JSON.
  const { isMap, isNode, isScalar, LineCounter, parseDocument } = load('yaml') as typeof Yaml;
  const lines = new LineCounter();
  const document = parseDocument(text, { lineCounter: lines, prettyErrors: false, version: '1.2' });
  const [fault] = [...document.errors, ...document.warnings];
  if (fault !== undefined) throw new FileSyntaxError(describe(fault, text), lines.linePos(fault.pos[0]).line);
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

/**
 * Reads a JSON object with the line of each name. JSON.parse says what is valid, and what the values are. It does not say
 * where a name stands, and of two equal names it silently takes the last. JSON is YAML too, and the YAML parser knows both.
 */
export function readJson(text: string): FileEntry[] {
  const fault = findJsonFault(text);
  if (fault !== undefined) throw fault;
  const values: unknown = JSON.parse(text);
  if (!isTable(values)) throw new FileSyntaxError('settings are written as {"name": value}', 1);
  return readYaml(text).map(({ name, line }) => ({ name, value: values[name], line }));
}

// Private

function describe({ code, message, pos }: Yaml.YAMLParseError | Yaml.YAMLWarning, text: string): string {
  if (code !== 'DUPLICATE_KEY') return message;
  const [name = ''] = /^(?:"(?:[^"\\]|\\.)*"|[^\s:]+)/.exec(text.slice(pos[0])) ?? [];
  return `the name ${name} comes twice`;
}

/**
 * JSON.parse does not always tell a position (for an unexpected token never), so ever more lines are parsed until what is
 * wrong is not only that they end.
 */
function findJsonFault(text: string): FileSyntaxError | undefined {
  const lines = text.split('\n');
  for (let count = 1; count <= lines.length; count++) {
    const { refusal, isAtEnd } = parse(`${lines.slice(0, count).join('\n')}\n`);
    if (refusal === undefined) continue;
    if (!isAtEnd) return new FileSyntaxError(refusal, count);
    if (count === lines.length) return new FileSyntaxError('the file ends too early', count);
  }
  return undefined;
}

/** The refusal in the words of V8, without the position and the piece of text that it adds. */
function parse(text: string): { readonly refusal?: string; readonly isAtEnd?: boolean } {
  try {
    JSON.parse(text);
    return {};
  } catch (error) {
    const { message } = error as SyntaxError;
    const position = Number(/ at position (\d+)/.exec(message)?.[1]);
    const isAtEnd = message.startsWith('Unexpected end') || position === text.length;
    if (message.startsWith('Bad control character')) return { refusal: 'a text is not closed', isAtEnd };
    const [, token] = /^Unexpected token '(.)'/su.exec(message) ?? [];
    if (token !== undefined) return { refusal: `unexpected ${token === '\n' ? 'end of the line' : token}` };
    const words = message.replace(/ (?:in|after) JSON at position .*$/s, '');
    return { refusal: words.charAt(0).toLowerCase() + words.slice(1), isAtEnd };
  }
}

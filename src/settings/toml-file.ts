import { parse, TomlError } from 'smol-toml';
import { type FileEntry, FileSyntaxError } from './file-entry.js';

/** Reads a TOML document with the line of each top-level name. */
export function readToml(text: string): FileEntry[] {
  try {
    const values = Object.entries(parse(text));
    const lines = linesOfNames(text);
    return values.map(([name, value]) => ({ name, value, line: lines.get(name) ?? 1 }));
  } catch (error) {
    if (!(error instanceof TomlError)) throw error;
    // The parser adds a drawing of the place below the first line of its message.
    const [message = 'not valid TOML'] = error.message.replace(/^Invalid TOML document: /, '').split('\n');
    throw new FileSyntaxError(message, error.line);
  }
}

/**
 * The parser keeps no positions of what is valid. A statement of TOML is a valid document by itself, however many
 * lines it has, so the text is cut into statements by parsing ever more lines until they are one.
 */
function linesOfNames(text: string): ReadonlyMap<string, number> {
  const found = new Map<string, number>();
  const lines = text.split(/\r?\n/);
  let isInTable = false;
  let first = 0;
  for (let last = 0; last < lines.length; last++) {
    const statement = lines.slice(first, last + 1).join('\n');
    const names = namesIn(statement);
    if (names === undefined) continue;
    const isHeader = statement.trimStart().startsWith('[');
    isInTable ||= isHeader;
    for (const name of names) {
      if ((isHeader || !isInTable) && !found.has(name)) found.set(name, first + 1);
    }
    first = last + 1;
  }
  return found;
}

/** undefined while the statement is not complete. */
function namesIn(statement: string): string[] | undefined {
  try {
    return Object.keys(parse(statement));
  } catch (error) {
    if (error instanceof TomlError) return undefined;
    throw error;
  }
}

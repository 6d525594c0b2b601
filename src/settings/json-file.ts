import { type FileEntry, FileSyntaxError } from './file-entry.js';

/**
 * Reads a JSON object with the line of each key. For settings/settings-file.
 *
 * JSON.parse would do but for two things: before Node 22 most of its errors name no position, and of two equal keys
 * it silently takes the last. The grammar is RFC 8259; JSON.parse still converts each word.
 */
export function readJson(text: string): FileEntry[] {
  const words = new JsonWords(text);
  if (words.next() !== '{') throw words.unexpected();
  const entries: FileEntry[] = [];
  readMembers(words, (name, value, line) => entries.push({ name, value, line }));
  if (words.next() !== '') throw words.unexpected();
  return entries;
}

/** The words of the text one after another; '' at its end. */
class JsonWords {
  static readonly #word = /[ \t\r\n]*([{}[\],:]|"(?:[^"\\\n]|\\.)*"|[^\s{}[\],:"]+|$)/y;
  readonly #text: string;
  #end = 0;
  #current = '';

  constructor(text: string) {
    this.#text = text;
  }

  next(): string {
    JsonWords.#word.lastIndex = this.#end;
    const [whole, word] = JsonWords.#word.exec(this.#text) ?? [];
    if (whole === undefined || word === undefined) {
      const [rest = '', mark = ''] = /^[ \t\r\n]*(.)/.exec(this.#text.slice(this.#end)) ?? [];
      this.#end += rest.length;
      throw new FileSyntaxError(
        mark === '"' ? 'a text is not closed' : `unexpected ${JSON.stringify(mark)}`,
        this.line,
      );
    }
    this.#end += whole.length;
    this.#current = word;
    return word;
  }

  get line(): number {
    return this.#text.slice(0, this.#end).split('\n').length;
  }

  /** What the text, number or name stands for that next() gave last. */
  value(): unknown {
    try {
      return JSON.parse(this.#current);
    } catch {
      throw this.unexpected();
    }
  }

  /** The error of the word that next() gave last. */
  unexpected(): FileSyntaxError {
    const what = this.#current === '' ? 'the file ends too early' : `unexpected ${this.#current}`;
    return new FileSyntaxError(what, this.line);
  }
}

/** From after the brace or a comma to the closing brace. */
function readMembers(words: JsonWords, take: (name: string, value: unknown, line: number) => void): void {
  let word = words.next();
  if (word === '}') return;
  for (;;) {
    if (!word.startsWith('"')) throw words.unexpected();
    const name = String(words.value());
    const line = words.line;
    if (words.next() !== ':') throw words.unexpected();
    take(name, readValue(words, words.next()), line);
    word = words.next();
    if (word === '}') return;
    if (word !== ',') throw words.unexpected();
    word = words.next();
  }
}

function readValue(words: JsonWords, word: string): unknown {
  if (word === '{') return readObject(words);
  if (word === '[') return readArray(words);
  if (word === '' || /^[}\],:]/.test(word)) throw words.unexpected();
  return words.value();
}

function readObject(words: JsonWords): unknown {
  const members = new Map<string, unknown>();
  readMembers(words, (name, value, line) => {
    if (members.has(name)) throw new FileSyntaxError(`the name ${JSON.stringify(name)} comes twice`, line);
    members.set(name, value);
  });
  return Object.fromEntries(members);
}

function readArray(words: JsonWords): unknown[] {
  const items: unknown[] = [];
  let word = words.next();
  if (word === ']') return items;
  for (;;) {
    items.push(readValue(words, word));
    word = words.next();
    if (word === ']') return items;
    if (word !== ',') throw words.unexpected();
    word = words.next();
  }
}

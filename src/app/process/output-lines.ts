import type { Readable } from 'node:stream';
import { StringDecoder } from 'node:string_decoder';
import { evenPace, holdBack, type Pace } from '../../log/pace.js';

const MAX_LINE_CHARACTERS = 16 * 1024;

export interface LineLimits {
  readonly pace?: Pace;
  /** A longer line comes in pieces. 16 K characters without a word. */
  readonly maxLineCharacters?: number;
}

/** Calls back for each line that a process writes. */
export function readLines(source: Readable, onLine: (line: string) => void, limits: LineLimits = {}): void {
  const { pace = evenPace, maxLineCharacters = MAX_LINE_CHARACTERS } = limits;
  const decoder = new StringDecoder('utf8');
  let rest = '';
  source.on('data', (chunk: Buffer) => {
    const lines = (rest + decoder.write(chunk)).split('\n');
    rest = lines.pop() ?? '';
    for (const line of lines) onLine(line.endsWith('\r') ? line.slice(0, -1) : line);
    while (rest.length > maxLineCharacters) {
      onLine(rest.slice(0, maxLineCharacters));
      rest = rest.slice(maxLineCharacters);
    }
    holdBack(source, pace);
  });
  source.on('end', () => {
    rest += decoder.end();
    if (rest !== '') onLine(rest);
    rest = '';
  });
}

/** The last lines of a process: they become the error text when it dies. */
export class LastLines {
  readonly #limit: number;
  readonly #lines: string[] = [];

  constructor(limit: number) {
    this.#limit = limit;
  }

  push(line: string): void {
    this.#lines.push(line);
    if (this.#lines.length > this.#limit) this.#lines.shift();
  }

  get text(): string {
    return this.#lines.join('\n');
  }
}

import { StringDecoder } from 'node:string_decoder';

export interface LineLimits {
  /** In characters. Default: none. */
  readonly maxLineLength?: number;
  /** What becomes of a longer line: it comes in pieces, or throws RangeError. Default: pieces. */
  readonly whenLonger?: 'cut' | 'throw';
}

/** Cuts text that arrives in any pieces into lines. A character that is split between two chunks survives. */
export class LineCutter {
  readonly #maxLineLength: number;
  readonly #whenLonger: 'cut' | 'throw';
  readonly #decoder = new StringDecoder('utf8');
  #rest = '';

  constructor({ maxLineLength = Number.POSITIVE_INFINITY, whenLonger = 'cut' }: LineLimits = {}) {
    this.#maxLineLength = maxLineLength;
    this.#whenLonger = whenLonger;
  }

  /** What has come of a line that has no end yet. */
  get rest(): string {
    return this.#rest;
  }

  /** The lines that the chunk completes, without their newlines. Throws RangeError, see `whenLonger`. */
  push(chunk: Buffer | string): string[] {
    const whole = this.pushWhole(chunk);
    const lines = whole === '' ? [] : whole.slice(0, -1).split('\n');
    if (this.#whenLonger === 'throw') {
      if ([...lines, this.#rest].some((line) => line.length > this.#maxLineLength))
        throw new RangeError(`a line is longer than ${this.#maxLineLength} characters`);
      return lines;
    }
    const pieces = this.#cut(this.#rest);
    this.#rest = pieces.pop() ?? '';
    return [...lines.flatMap((line) => this.#cut(line)), ...pieces];
  }

  /** The same lines as one text, each with its newline; longer ones are not cut. */
  pushWhole(chunk: Buffer | string): string {
    const text = typeof chunk === 'string' ? chunk : this.#decoder.write(chunk);
    const end = text.lastIndexOf('\n') + 1;
    if (end === 0) {
      this.#rest += text;
      return '';
    }
    const whole = this.#rest + text.slice(0, end);
    this.#rest = text.slice(end);
    return whole;
  }

  /** The last line of a source that has ended, where it has no newline; '' otherwise. */
  end(): string {
    const last = this.#rest + this.#decoder.end();
    this.#rest = '';
    return last;
  }

  // Private

  #cut(line: string): string[] {
    if (line.length <= this.#maxLineLength) return [line];
    return [line.slice(0, this.#maxLineLength), ...this.#cut(line.slice(this.#maxLineLength))];
  }
}

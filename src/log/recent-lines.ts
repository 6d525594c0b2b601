import { LineCutter } from './line-cutter.js';

/**
 * The last lines of the log, for `easyserve logs` and `easyserve logs -f`, bounded in lines and in bytes.
 *
 * Every line of the access log passes through here, and hardly any is asked for: the text is kept as it came, and cut into
 * lines when somebody asks.
 */
export class RecentLines {
  readonly #maxLines: number;
  readonly #maxBytes: number;
  readonly #maxLineLength: number;
  readonly #followers = new Set<(line: string) => void>();
  #pieces: string[] = [];
  /** Index of the oldest piece: shifting a long array for each one is expensive. */
  #first = 0;
  #bytes = 0;
  /** The oldest piece begins in the middle of a line. */
  #isCut = false;
  /** While somebody follows: has the beginning of the line whose end has not come yet. */
  #followed: LineCutter | undefined;

  constructor(limits: { maxLines?: number; maxBytes?: number; maxLineLength?: number } = {}) {
    this.#maxLines = limits.maxLines ?? 2000;
    this.#maxBytes = limits.maxBytes ?? 1_048_576;
    this.#maxLineLength = limits.maxLineLength ?? 65_536;
  }

  /** Takes a piece of log text, cut anywhere. A line that is longer than allowed counts in parts. */
  push(text: string): void {
    if (text === '') return;
    this.#pieces.push(text);
    this.#bytes += Buffer.byteLength(text);
    this.#dropOld();
    if (this.#followed === undefined) return;
    for (const line of this.#followed.push(text)) for (const follower of this.#followers) follower(line);
  }

  /** The last `count` whole lines, the oldest first. */
  last(count: number): string[] {
    const wanted = Math.min(count, this.#maxLines);
    return wanted <= 0 ? [] : this.#cut().lines.slice(-wanted);
  }

  /** Calls back for each line from now on; the answer ends it. */
  follow(listener: (line: string) => void): () => void {
    this.#followed ??= this.#cut().cutter;
    // A wrapper of its own, so that the same function can follow twice.
    const follower = (line: string) => listener(line);
    this.#followers.add(follower);
    return () => {
      this.#followers.delete(follower);
      if (this.#followers.size === 0) this.#followed = undefined;
    };
  }

  // Private

  #cut(): { lines: string[]; cutter: LineCutter } {
    const text = this.#pieces.slice(this.#first).join('');
    const start = this.#isCut ? text.indexOf('\n') + 1 : 0;
    const cutter = new LineCutter({ maxLineLength: this.#maxLineLength });
    return { lines: cutter.push(text.slice(start)), cutter };
  }

  /** Whole pieces go; the last one always stays. */
  #dropOld(): void {
    while (this.#bytes > this.#maxBytes && this.#first < this.#pieces.length - 1) {
      const oldest = this.#pieces[this.#first] as string;
      this.#pieces[this.#first] = ''; // its index is freed below
      this.#first += 1;
      this.#bytes -= Buffer.byteLength(oldest);
      this.#isCut = !oldest.endsWith('\n');
    }
    if (this.#first <= 64 || this.#first * 2 < this.#pieces.length) return;
    this.#pieces = this.#pieces.slice(this.#first);
    this.#first = 0;
  }
}

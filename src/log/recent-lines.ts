/** The last lines of the log, for `easyserve logs` and `easyserve logs -f`: a ring, bounded in lines and in bytes. */
export class RecentLines {
  readonly #ring: (string | undefined)[];
  readonly #maxBytes: number;
  readonly #maxLineLength: number;
  readonly #followers = new Set<(line: string) => void>();
  #first = 0;
  #count = 0;
  #bytes = 0;
  /** The beginning of a line whose end has not come yet. */
  #partial = '';

  constructor(limits: { maxLines?: number; maxBytes?: number; maxLineLength?: number } = {}) {
    this.#ring = new Array(limits.maxLines ?? 2000).fill(undefined);
    this.#maxBytes = limits.maxBytes ?? 1_048_576;
    this.#maxLineLength = limits.maxLineLength ?? 65_536;
  }

  /** Takes a piece of log text, cut anywhere. A line that is longer than allowed is kept in parts. */
  push(text: string): void {
    const all = this.#partial + text;
    let start = 0;
    for (;;) {
      const end = all.indexOf('\n', start);
      const length = (end < 0 ? all.length : end) - start;
      if (length > this.#maxLineLength) {
        this.#add(all.slice(start, start + this.#maxLineLength));
        start += this.#maxLineLength;
      } else if (end >= 0) {
        this.#add(all.slice(start, end));
        start = end + 1;
      } else {
        break;
      }
    }
    this.#partial = all.slice(start);
  }

  /** The last `count` whole lines, the oldest first. */
  last(count: number): string[] {
    const wanted = Math.max(0, Math.min(count, this.#count));
    const from = this.#first + this.#count - wanted;
    return Array.from({ length: wanted }, (_, index) => this.#ring[(from + index) % this.#ring.length] ?? '');
  }

  /** Calls back for each line from now on; the answer ends it. */
  follow(listener: (line: string) => void): () => void {
    // A wrapper of its own, so that the same function can follow twice.
    const follower = (line: string) => listener(line);
    this.#followers.add(follower);
    return () => {
      this.#followers.delete(follower);
    };
  }

  #add(line: string): void {
    if (this.#count === this.#ring.length) this.#dropFirst();
    this.#ring[(this.#first + this.#count) % this.#ring.length] = line;
    this.#count++;
    this.#bytes += Buffer.byteLength(line);
    while (this.#bytes > this.#maxBytes && this.#count > 1) this.#dropFirst();
    for (const follower of this.#followers) follower(line);
  }

  #dropFirst(): void {
    this.#bytes -= Buffer.byteLength(this.#ring[this.#first] ?? '');
    this.#ring[this.#first] = undefined;
    this.#first = (this.#first + 1) % this.#ring.length;
    this.#count--;
  }
}

import type { Clock } from '../contracts/clock.js';

/** The streams of this process, by name. */
export type LogStream = 'stdout' | 'stderr';

export type WriteLines = (text: string, stream: LogStream) => void;

/**
 * Characters from which on a batch is written at once. A pipe holds 64 KiB (Linux, pipe(7)), and a worker would wait for the
 * primary where little room is left.
 */
const fullBatchLength = 8192;

/** How long a line may wait for others: too short for anyone who reads them, long enough for many on a busy site. */
export const gatherMs = 20;

/**
 * Gathers lines into one write, because a write costs far more than a line, and in cluster mode wakes up the primary too,
 * which would run once for each request.
 *
 * Lines keep their order, across both streams too: a line for the other stream ends the batch. Call flush() before
 * process.exit.
 */
export class LineBatch {
  readonly #write: WriteLines;
  readonly #clock: Clock;
  #text = '';
  #stream: LogStream = 'stdout';
  #isScheduled = false;

  constructor(write: WriteLines, clock: Clock) {
    this.#write = write;
    this.#clock = clock;
  }

  add(lines: string, stream: LogStream): void {
    if (stream !== this.#stream) this.flush();
    this.#stream = stream;
    this.#text += lines;
    if (this.#text.length >= fullBatchLength) this.flush();
    else this.#schedule();
  }

  flush(): void {
    if (this.#text === '') return;
    const text = this.#text;
    // Emptied first: the writer may log, and may throw.
    this.#text = '';
    this.#write(text, this.#stream);
  }

  #schedule(): void {
    if (this.#isScheduled) return;
    this.#isScheduled = true;
    this.#clock.after(gatherMs, () => {
      this.#isScheduled = false;
      this.flush();
    });
  }
}

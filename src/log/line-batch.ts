/** The streams of this process, by name. */
export type LogStream = 'stdout' | 'stderr';

export type WriteLines = (text: string, stream: LogStream) => void;

/** Beyond this a batch is not worth growing: a pipe takes 64 KiB at once (Linux, pipe(7)). */
const fullBatchLength = 65_536;

/**
 * Gathers the lines of one turn of the event loop into one write, for a write costs far more than a line.
 *
 * Lines keep their order, across both streams too: a line for the other stream ends the batch. The waiting batch
 * keeps the process alive until it is written; before process.exit call flush().
 */
export class LineBatch {
  readonly #write: WriteLines;
  #text = '';
  #stream: LogStream = 'stdout';
  #isScheduled = false;

  constructor(write: WriteLines) {
    this.#write = write;
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
    setImmediate(() => {
      this.#isScheduled = false;
      this.flush();
    });
  }
}

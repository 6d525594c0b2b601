import type { Readable } from 'node:stream';
import { withDeadline } from './with-deadline.js';

/** The text of a body while it arrives: for answers whose pieces must come one by one. */
export class ArrivingText {
  #text = '';
  #isOver = false;
  #error: Error | undefined;
  #wake: () => void = () => undefined;

  /** Reads from now on; a compressed body comes through its decompressor. */
  constructor(body: Readable) {
    body.setEncoding('utf8');
    body.on('data', (piece: string) => {
      this.#text += piece;
      this.#wake();
    });
    body.on('error', (error) => {
      this.#error = error;
    });
    for (const event of ['end', 'close', 'error'] as const) {
      body.on(event, () => {
        this.#isOver = true;
        this.#wake();
      });
    }
  }

  get text(): string {
    return this.#text;
  }

  /** How the body was cut, if it was. */
  get error(): Error | undefined {
    return this.#error;
  }

  /** Resolves when the text has come. Rejects when the body is over before. */
  async until(expected: string, timeoutMs = 10_000): Promise<void> {
    await this.#wait(() => this.#text.includes(expected) || this.#isOver, expected, timeoutMs);
    if (this.#text.includes(expected)) return;
    throw new Error(`the body was over before ${expected}: ${JSON.stringify(this.#text)}`);
  }

  /** Resolves with everything when the body is over, whole or cut. */
  async toEnd(timeoutMs = 10_000): Promise<string> {
    await this.#wait(() => this.#isOver, 'end', timeoutMs);
    return this.#text;
  }

  async #wait(isReached: () => boolean, what: string, timeoutMs: number): Promise<void> {
    const reached = new Promise<void>((resolve) => {
      this.#wake = () => {
        if (isReached()) resolve();
      };
      this.#wake();
    });
    await withDeadline(reached, timeoutMs, () => `no ${what} after ${JSON.stringify(this.#text)}`);
  }
}

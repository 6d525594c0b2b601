import type { Output } from '../launcher.js';

/** People wait this long without wondering. */
const patienceMs = 1000;
const tickMs = 1000;

/**
 * Tells what is being waited for. Used by the verbs that wait for a running instance.
 *
 * On a terminal one line that is written over, from the second second on, with the time that has passed; elsewhere (a
 * deployment's log) one plain line a step. Call done() before anything else is printed.
 */
export class ProgressLine {
  readonly #output: Output;
  readonly #startedAtMs = performance.now();
  #text: string;
  #timer: NodeJS.Timeout | undefined;
  #isShown = false;

  constructor(output: Output, text: string) {
    this.#output = output;
    this.#text = text;
    if (!output.isTerminal) return;
    this.#timer = setInterval(() => this.#draw(), tickMs);
    this.#timer.unref();
  }

  readonly show = (text: string): void => {
    this.#text = text;
    if (!this.#output.isTerminal) this.#output.write(`${text}\n`);
    else if (this.#elapsedMs >= patienceMs) this.#draw();
  };

  done(): void {
    clearInterval(this.#timer);
    if (this.#isShown) this.#output.write('\r\x1b[K');
    this.#isShown = false;
  }

  get #elapsedMs(): number {
    return performance.now() - this.#startedAtMs;
  }

  #draw(): void {
    this.#isShown = true;
    this.#output.write(`\r\x1b[K${this.#text} (${Math.round(this.#elapsedMs / 1000)} s)`);
  }
}

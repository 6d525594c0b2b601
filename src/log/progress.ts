import type { Clock } from '../contracts/clock.js';
import { eraseLine } from './paint.js';
import { visibleText } from './visible-text.js';

/** One line on a terminal that tells what takes so long; elsewhere it shows nothing. */
export interface Progress {
  /** What is being done from now on: `collecting static files`. */
  step(text: string): void;
  /** Takes the line away so that something else can be written; it comes back with the next second. */
  hide(): void;
  /** All steps are done; takes the line away. step() may begin anew. */
  end(): void;
}

export interface ProgressOptions {
  readonly write: (text: string) => void;
  readonly isTerminal: boolean;
  readonly clock: Clock;
  /** Width of the terminal now; a longer line would wrap, and could not be taken away. */
  readonly columns?: (() => number | undefined) | undefined;
}

/** The line comes when a step takes as long as this, and changes as often. */
const periodMs = 1000;

export function createProgress(options: ProgressOptions): Progress {
  return options.isTerminal ? new ProgressLine(options) : noProgress;
}

const noProgress: Progress = { step() {}, hide() {}, end() {} };

class ProgressLine implements Progress {
  readonly #options: ProgressOptions;
  #text = '';
  #startedAtMs = 0;
  #isShown = false;
  #cancel: (() => void) | undefined;

  constructor(options: ProgressOptions) {
    this.#options = options;
  }

  step(text: string): void {
    this.#text = visibleText(text);
    this.#startedAtMs = this.#options.clock.now();
    this.#cancel ??= this.#options.clock.every(periodMs, () => this.#show());
    if (this.#isShown) this.#show();
  }

  hide(): void {
    if (!this.#isShown) return;
    this.#isShown = false;
    this.#options.write(eraseLine);
  }

  end(): void {
    this.#cancel?.();
    this.#cancel = undefined;
    this.hide();
  }

  #show(): void {
    this.#isShown = true;
    const seconds = Math.floor((this.#options.clock.now() - this.#startedAtMs) / 1000);
    const line = seconds === 0 ? `${this.#text} …` : `${this.#text} … ${seconds} s`;
    // 0 is the size of a pseudo-terminal that was not told one.
    const columns = this.#options.columns?.() || 80;
    this.#options.write(eraseLine + line.slice(0, columns - 1));
  }
}

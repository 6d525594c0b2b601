import type { Backpressure } from './backpressure.js';

/** A stream that a person or a log collector reads. */
export interface Output {
  /** Any number of whole lines. */
  write(text: string): void;
  /** How many of them were left out since the last call, because nobody read. */
  takeLostLines(): number;
  readonly backpressure: Backpressure;
  readonly isTerminal: boolean;
  readonly colour: boolean;
  /** Width of the terminal now; undefined where it is none, or does not say. */
  readonly columns?: (() => number | undefined) | undefined;
}

import type { Backpressure } from './backpressure.js';

/** What becomes of an output, for whoever writes to it. */
export type OutputNews =
  /** A write failed: a full disk, for example. It is tried again until it succeeds. */
  | { readonly kind: 'failed'; readonly error: NodeJS.ErrnoException }
  /** Everything that waited is written again. */
  | { readonly kind: 'recovered'; readonly lostLines: number }
  /** Nobody had read for a while, so lines were left out; now there is room again. */
  | { readonly kind: 'caught-up'; readonly lostLines: number }
  /** Nobody will ever read it again. */
  | { readonly kind: 'closed' };

/** A stream that a person or a log collector reads; stdout and stderr are one object where both lead to the same place. */
export interface Output {
  /** Any number of whole lines. Never throws, and never waits. */
  write(text: string): void;
  /** Calls back with all news from now on. */
  onNews(listener: (news: OutputNews) => void): void;
  /** SIGUSR1: opens the file under its name anew, because what had it was moved away. Undefined where it is no file. Rejects with what the file system says. */
  reopen(): Promise<string | undefined>;
  readonly backpressure: Backpressure;
  readonly isTerminal: boolean;
  readonly colour: boolean;
  /** Width of the terminal now; undefined where it is none, or does not say. */
  readonly columns?: (() => number | undefined) | undefined;
}

import type { Readable } from 'node:stream';

/** Whether the reader of one of our output streams keeps up with what is written. */
export interface Backpressure {
  /** More waits to be read than is good for our memory. */
  readonly isBehind: boolean;
  /** Calls back when that is over, or when nobody seems to read at all; at once where it is not so. */
  onceCaughtUp(callback: () => void): void;
}

/** Of a stream that is always read at once. */
export const noBackpressure: Backpressure = {
  isBehind: false,
  onceCaughtUp: (callback) => callback(),
};

/**
 * Reads no more from a source while its lines are written faster than they are read. Its buffers fill up then, and
 * who prints has to wait: the application, but never a request that does not print.
 */
export function applyBackpressure(source: Readable, backpressure: Backpressure): void {
  if (!backpressure.isBehind || source.isPaused()) return;
  source.pause();
  backpressure.onceCaughtUp(() => source.resume());
}

import type { Readable } from 'node:stream';

/** How whoever reads a stream of ours keeps up with it. Made by PacedOutput; Log passes it on to app/. */
export interface Pace {
  /** More waits to be read than is good for our memory. */
  readonly isBehind: boolean;
  /** Calls back when that is over, or when nobody seems to read at all. */
  onceCaughtUp(callback: () => void): void;
}

/** Of a stream that is always read at once. */
export const evenPace: Pace = { isBehind: false, onceCaughtUp: (callback) => callback() };

/**
 * Reads no more from a source while its lines are written faster than they are read. Its buffers fill up then, and
 * who prints has to wait: the application, but never a request that does not print.
 */
export function holdBack(source: Readable, pace: Pace): void {
  if (!pace.isBehind || source.isPaused()) return;
  source.pause();
  pace.onceCaughtUp(() => source.resume());
}

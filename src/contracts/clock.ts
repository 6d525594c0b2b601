/** Time, given by constructor to everything that waits. Unit tests pass a virtual one (test/support/fake-clock). */
export interface Clock {
  /** Monotonic milliseconds. */
  now(): number;
  /** Calls back once after `delayMs`; the answer cancels it. The timer never keeps the process alive. */
  after(delayMs: number, callback: () => void): () => void;
  /** Calls back again and again; the answer cancels it. */
  every(periodMs: number, callback: () => void): () => void;
}

export const systemClock: Clock = {
  now: () => performance.now(),
  after(delayMs, callback) {
    const timer = setTimeout(callback, delayMs);
    timer.unref();
    return () => clearTimeout(timer);
  },
  every(periodMs, callback) {
    const timer = setInterval(callback, periodMs);
    timer.unref();
    return () => clearInterval(timer);
  },
};

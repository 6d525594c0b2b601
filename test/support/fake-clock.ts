import type { Clock } from '../../src/contracts/clock.js';

interface Timer {
  atMs: number;
  readonly order: number;
  readonly periodMs: number | undefined;
  readonly callback: () => void;
}

/** Virtual time for unit tests: nothing happens until advance() is called, and then everything that is due, in order. */
export class FakeClock implements Clock {
  readonly #timers = new Set<Timer>();
  #nowMs = 0;
  #order = 0;

  now(): number {
    return this.#nowMs;
  }

  after(delayMs: number, callback: () => void): () => void {
    return this.#add(delayMs, undefined, callback);
  }

  every(periodMs: number, callback: () => void): () => void {
    if (!(periodMs > 0)) throw new Error(`a period of ${periodMs} ms would never let the clock go on`);
    return this.#add(periodMs, periodMs, callback);
  }

  /** How many timers wait; a test that ends with 0 has shown that nothing was left running. */
  get pending(): number {
    return this.#timers.size;
  }

  /** Milliseconds until the next timer; undefined where none waits. */
  get nextInMs(): number | undefined {
    const next = this.#next(Number.POSITIVE_INFINITY);
    return next && next.atMs - this.#nowMs;
  }

  /** Moves time on; calls what is due, in order of time, also what is set meanwhile. */
  advance(ms: number): void {
    const until = this.#nowMs + ms;
    for (let timer = this.#next(until); timer !== undefined; timer = this.#next(until)) this.#fire(timer);
    this.#nowMs = until;
  }

  /** Like advance, but lets promises settle before the first and after each callback, as real time would. */
  async advanceAsync(ms: number): Promise<void> {
    const until = this.#nowMs + ms;
    await settle();
    for (let timer = this.#next(until); timer !== undefined; timer = this.#next(until)) {
      this.#fire(timer);
      await settle();
    }
    this.#nowMs = until;
  }

  #add(delayMs: number, periodMs: number | undefined, callback: () => void): () => void {
    const timer: Timer = {
      atMs: this.#nowMs + Math.max(0, delayMs),
      order: this.#order++,
      periodMs,
      callback,
    };
    this.#timers.add(timer);
    return () => this.#timers.delete(timer);
  }

  #next(until: number): Timer | undefined {
    let next: Timer | undefined;
    for (const timer of this.#timers) {
      if (timer.atMs > until) continue;
      const isEarlier =
        next === undefined ||
        timer.atMs < next.atMs ||
        (timer.atMs === next.atMs && timer.order < next.order);
      if (isEarlier) next = timer;
    }
    return next;
  }

  #fire(timer: Timer): void {
    this.#nowMs = timer.atMs;
    if (timer.periodMs === undefined) this.#timers.delete(timer);
    else timer.atMs += timer.periodMs;
    timer.callback();
  }
}

/** setImmediate comes after every promise job that is queued now, and after those that they queue. */
function settle(): Promise<void> {
  return new Promise((resolve) => setImmediate(resolve));
}

import type { Clock } from '../clock.js';

/** What is waited for: the requests on one process. */
export interface Draining {
  readonly inFlight: number;
}

/** Who waits until a process has no request any more. Used by Generation, which hears of every thread that gets free. */
export class DrainWaits {
  readonly #clock: Clock;
  readonly #waits = new Map<Draining, () => void>();

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  /** Resolves when nothing is in flight, or at the deadline. */
  async drained(draining: Draining, timeoutMs: number): Promise<void> {
    if (draining.inFlight === 0) return;
    await new Promise<void>((resolve) => {
      const cancel = this.#clock.after(timeoutMs, resolve);
      this.#waits.set(draining, () => {
        cancel();
        resolve();
      });
    });
    this.#waits.delete(draining);
  }

  /** A thread of this process is free. */
  notice(draining: Draining): void {
    if (draining.inFlight === 0) this.#waits.get(draining)?.();
  }
}

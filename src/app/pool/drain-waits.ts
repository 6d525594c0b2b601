import type { Clock } from '../../contracts/clock.js';

/** What is waited for: the requests on one process. */
export interface Draining {
  readonly inFlight: number;
  /** Of these the WebSockets and event streams. */
  readonly streams: number;
}

/** How long a process that gets no new requests may finish those in flight; the settings of these names. */
export interface DrainTimes {
  readonly drainTimeoutMs: number;
  /** For WebSockets and event streams, when nothing else is left. */
  readonly streamDrainTimeoutMs: number;
}

export const atOnce: DrainTimes = { drainTimeoutMs: 0, streamDrainTimeoutMs: 0 };

/** Who waits until a process has no request any more. Used by Generation, which hears of every request that ends. */
export class DrainWaits {
  readonly #clock: Clock;
  /** What looks whether a wait is over; a process that is to be replaced may be retired by a stop meanwhile. */
  readonly #checks = new Set<() => void>();

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  /** Resolves when nothing is in flight, or at the deadline: that of the requests, then that of the streams. */
  async drained(draining: Draining, times: DrainTimes): Promise<void> {
    const startedAtMs = this.#clock.now();
    await this.#until(() => isAnswered(draining), times.drainTimeoutMs);
    // What is still no stream at the deadline is cut, and a process is stopped only as a whole.
    if (!isAnswered(draining)) return;
    const leftMs = times.streamDrainTimeoutMs - (this.#clock.now() - startedAtMs);
    await this.#until(() => draining.inFlight === 0, leftMs);
  }

  /**
   * Resolves when of these processes only those are left whose streams go on. `present`: those that are not gone yet, each of
   * which is being drained and has its deadline by that.
   */
  async onlyStreamsLeft(present: () => Iterable<Draining>): Promise<void> {
    await this.#until(() => [...present()].every((draining) => draining.streams > 0 && isAnswered(draining)));
  }

  /** A request on some process has ended, or has turned out to be a stream; or a process is gone. */
  notice(): void {
    for (const check of this.#checks) check();
  }

  // Private

  async #until(isReached: () => boolean, timeoutMs = Number.POSITIVE_INFINITY): Promise<void> {
    if (isReached() || timeoutMs <= 0) return;
    await new Promise<void>((resolve) => {
      const end = (): void => {
        cancel();
        this.#checks.delete(check);
        resolve();
      };
      const check = (): void => {
        if (isReached()) end();
      };
      const cancel = Number.isFinite(timeoutMs) ? this.#clock.after(timeoutMs, end) : () => {};
      this.#checks.add(check);
    });
  }
}

// Private

/** No request but streams. */
function isAnswered({ inFlight, streams }: Draining): boolean {
  return inFlight === streams;
}

import type { Clock } from '../../contracts/clock.js';

/** Longer than a burst of visitors, or a page with many parts, lasts. */
const LASTING_MS = 1000;
const WINDOW_MS = 1000;
/** Slow applications have short queues: so many requests for each that is worked on may always wait. */
const QUEUED_PER_RUNNING = 4;

/** The processes that serve a queue (Generation). */
export interface Load {
  readonly members: Iterable<{ readonly inFlight: number }>;
  readonly release: { readonly settings: { readonly overloadWaitMs: number } };
}

/**
 * Whether requests come faster than they can be answered, and those that came last would wait too long.
 *
 * Without it everybody would wait for as long as the queue is, and it would take that long again until the site is quick when the rush is
 * over. A burst may fill the queue: only when it has not been empty for a while does its length count, in time: what waits, by
 * what was taken lately.
 */
export class Overload {
  readonly #clock: Clock;
  #waitingSinceMs: number | undefined;
  #windowSinceMs = 0;
  #takenInWindow = 0;
  #takenBefore = 0;

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  /** Before one more is put behind `queued` others. */
  isTooLong(queued: number, { members, release }: Load): boolean {
    const mostMs = release.settings.overloadWaitMs;
    const nowMs = this.#clock.now();
    if (queued === 0 || this.#waitingSinceMs === undefined) {
      this.#begin(nowMs);
      return false;
    }
    this.#turn(nowMs);
    if (mostMs === 0 || nowMs - this.#waitingSinceMs < LASTING_MS) return false;
    if (queued <= QUEUED_PER_RUNNING * countRunning(members)) return false;
    const perMs = (this.#takenBefore + this.#takenInWindow) / (WINDOW_MS + nowMs - this.#windowSinceMs);
    return perMs > 0 && queued / perMs > mostMs;
  }

  /** One was taken out of the queue. */
  countTaken(): void {
    this.#turn(this.#clock.now());
    this.#takenInWindow += 1;
  }

  // Private

  #begin(nowMs: number): void {
    this.#waitingSinceMs = nowMs;
    this.#windowSinceMs = nowMs;
    this.#takenInWindow = 0;
    this.#takenBefore = 0;
  }

  #turn(nowMs: number): void {
    const passedMs = nowMs - this.#windowSinceMs;
    if (passedMs < WINDOW_MS) return;
    this.#takenBefore = passedMs < 2 * WINDOW_MS ? this.#takenInWindow : 0;
    this.#takenInWindow = 0;
    this.#windowSinceMs = nowMs;
  }
}

function countRunning(members: Load['members']): number {
  let running = 0;
  for (const { inFlight } of members) running += inFlight;
  return running;
}

import type { Clock } from '../../contracts/clock.js';

/** What one request takes. */
export interface TokenRequest {
  /** Client and rule. */
  readonly key: string;
  readonly perSecond: number;
  readonly burst: number;
}

/** Who keeps count of what clients ask for. */
export interface RateCounter {
  /** Milliseconds until there is a token again; 0 where one was taken. */
  take(request: TokenRequest): number | Promise<number>;
}

/** About 10 MB. */
const MOST_BUCKETS = 100_000;

/**
 * Token buckets, of which each is one number: when it would be full again (the generic cell rate algorithm, ITU-T I.371).
 *
 * With more clients than fit, the one that has asked for nothing longest is forgotten.
 */
export class TokenBuckets implements RateCounter {
  readonly #clock: Clock;
  readonly #most: number;
  readonly #fullAtMs = new Map<string, number>();

  constructor(clock: Clock, most = MOST_BUCKETS) {
    this.#clock = clock;
    this.#most = most;
  }

  get size(): number {
    return this.#fullAtMs.size;
  }

  take({ key, perSecond, burst }: TokenRequest): number {
    const nowMs = this.#clock.now();
    const tokenMs = 1000 / perSecond;
    const fullAtMs = Math.max(this.#fullAtMs.get(key) ?? 0, nowMs) + tokenMs;
    const waitMs = fullAtMs - nowMs - burst * tokenMs;
    // Sums of fractions miss by a little.
    if (waitMs > 0.001) return waitMs;
    this.#fullAtMs.delete(key);
    this.#fullAtMs.set(key, fullAtMs);
    this.#forget(nowMs);
    return 0;
  }

  // Private

  /** Two at a time, so that those that are full again go faster than new ones come. */
  #forget(nowMs: number): void {
    let left = 2;
    for (const [key, fullAtMs] of this.#fullAtMs) {
      if (left === 0 || (fullAtMs > nowMs && this.#fullAtMs.size <= this.#most)) return;
      this.#fullAtMs.delete(key);
      left -= 1;
    }
  }
}

import type { Clock } from '../../contracts/clock.js';
import { type RateCounter, TokenBuckets, type TokenRequest } from './token-buckets.js';

const ANSWER_WITHIN_MS = 500;
const MOST_ASKED = 1000;
const MOST_REFUSED = 10_000;

/**
 * Counts for several fronts together: each asks the one that keeps the buckets, so that the count is exact. A refusal is remembered,
 * because a flood should cost one question and not thousands. Where no answer comes in time, this front counts for itself.
 */
export class SharedRateCounter implements RateCounter {
  readonly #clock: Clock;
  /** Rejects where nobody can be asked. */
  readonly #ask: (request: TokenRequest) => Promise<number>;
  readonly #own: TokenBuckets;
  readonly #refusedUntilMs = new Map<string, number>();
  #asked = 0;

  constructor(clock: Clock, ask: (request: TokenRequest) => Promise<number>) {
    this.#clock = clock;
    this.#ask = ask;
    this.#own = new TokenBuckets(clock);
  }

  take(request: TokenRequest): number | Promise<number> {
    const leftMs = (this.#refusedUntilMs.get(request.key) ?? 0) - this.#clock.now();
    if (leftMs > 0) return leftMs;
    this.#refusedUntilMs.delete(request.key);
    return this.#asked < MOST_ASKED ? this.#takeShared(request) : this.#own.take(request);
  }

  // Private

  async #takeShared(request: TokenRequest): Promise<number> {
    this.#asked += 1;
    const waitMs = await this.#answer(request);
    this.#asked -= 1;
    if (waitMs === undefined) return this.#own.take(request);
    if (waitMs > 0) this.#remember(request.key, this.#clock.now() + waitMs);
    return waitMs;
  }

  /** Undefined where none comes. */
  #answer(request: TokenRequest): Promise<number | undefined> {
    return new Promise((resolve) => {
      const cancel = this.#clock.after(ANSWER_WITHIN_MS, () => resolve(undefined));
      this.#ask(request)
        .then(resolve, () => resolve(undefined))
        .finally(cancel);
    });
  }

  #remember(key: string, untilMs: number): void {
    if (this.#refusedUntilMs.size >= MOST_REFUSED) this.#refusedUntilMs.clear();
    this.#refusedUntilMs.set(key, untilMs);
  }
}

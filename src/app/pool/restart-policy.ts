import type { Clock } from '../../contracts/clock.js';

export interface RestartLimits {
  readonly restartBackoffMs: number;
  readonly restartBackoffMaxMs: number;
  readonly restartBudget: number;
  readonly restartWindowMs: number;
}

/**
 * When a crashed process is started again: exponential backoff with jitter, and a budget.
 *
 * One per generation, asked by Generation. Crashes older than the window are forgotten.
 */
export class RestartPolicy {
  readonly #clock: Clock;
  readonly #random: () => number;
  #limits: RestartLimits;
  #crashes: number[] = [];

  constructor(limits: RestartLimits, clock: Clock, random: () => number = Math.random) {
    this.#limits = limits;
    this.#clock = clock;
    this.#random = random;
  }

  configure(limits: RestartLimits): void {
    this.#limits = limits;
  }

  /** More crashes within the window than the budget: do not let requests wait for a recovery. */
  get isCrashLoop(): boolean {
    this.#forgetOld();
    return this.#crashes.length >= this.#limits.restartBudget;
  }

  /** Notes a crash; answers how long to wait before the next start. */
  recordCrash(): number {
    this.#crashes.push(this.#clock.now());
    const { restartBackoffMs, restartBackoffMaxMs } = this.#limits;
    if (this.isCrashLoop) return restartBackoffMaxMs;
    const delayMs = restartBackoffMs * 2 ** (this.#crashes.length - 1);
    return Math.min(restartBackoffMaxMs, delayMs * (0.75 + this.#random() / 2));
  }

  // Private

  #forgetOld(): void {
    const oldest = this.#clock.now() - this.#limits.restartWindowMs;
    this.#crashes = this.#crashes.filter((at) => at > oldest);
  }
}

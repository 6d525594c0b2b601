import type { Clock } from '../../contracts/clock.js';

/** The settings of these names. */
export interface RestartLimits {
  /** The pause after the first crash; it doubles with each further one. */
  readonly restartBackoffMs: number;
  readonly restartBackoffMaxMs: number;
  /** So many crashes within the window are a crash loop. */
  readonly restartBudget: number;
  readonly restartWindowMs: number;
}

/**
 * When a process that has not started is tried again: exponential backoff with jitter, and a budget. Failures older than the
 * window are forgotten. Throws nothing.
 */
export class RestartPolicy {
  readonly #clock: Clock;
  readonly #random: () => number;
  #limits: RestartLimits;
  /** When they happened, monotonic milliseconds. */
  #crashes: number[] = [];

  /** `random` answers a number from 0 to below 1, as Math.random does. */
  constructor(limits: RestartLimits, clock: Clock, random: () => number = Math.random) {
    this.#limits = limits;
    this.#clock = clock;
    this.#random = random;
  }

  /** The crashes so far are kept, and judged by the new limits. */
  configure(limits: RestartLimits): void {
    this.#limits = limits;
  }

  /** As many crashes within the window as the budget allows: requests should not wait for a recovery any more. */
  get isCrashLoop(): boolean {
    this.#forgetOld();
    return this.#crashes.length >= this.#limits.restartBudget;
  }

  /** Notes a crash, and returns the pause before the next start, in milliseconds. */
  recordCrash(): number {
    this.#crashes.push(this.#clock.now());
    const { restartBackoffMs, restartBackoffMaxMs } = this.#limits;
    if (this.isCrashLoop) return restartBackoffMaxMs;
    const delayMs = restartBackoffMs * 2 ** (this.#crashes.length - 1);
    return Math.min(restartBackoffMaxMs, delayMs * (0.75 + this.#random() / 2));
  }

  /** A process has started, and was at work. */
  forget(): void {
    this.#crashes = [];
  }

  // Private

  #forgetOld(): void {
    const oldest = this.#clock.now() - this.#limits.restartWindowMs;
    this.#crashes = this.#crashes.filter((at) => at > oldest);
  }
}

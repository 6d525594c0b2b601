import type { Clock } from '../../contracts/clock.js';

export interface PaceLimits {
  /** What any client may take. */
  readonly graceMs: number;
  /** Each so many bytes earn a second more. 0: as slow as it likes. */
  readonly minBytesPerSecond: number;
}

/**
 * How fast a request body comes; the time in which we read nothing does not count. The rule is that of Apache's mod_reqtimeout
 * (`body=20,MinRate=500`).
 */
export class BodyPace {
  readonly #clock: Clock;
  readonly #limits: PaceLimits;
  /** Moved on by each pause. */
  #startedAtMs: number;
  #pausedAtMs: number | undefined;
  #bytes = 0;

  constructor(clock: Clock, limits: PaceLimits) {
    this.#clock = clock;
    this.#limits = limits;
    this.#startedAtMs = clock.now();
  }

  /** Begins anew: until now nobody read. */
  start(): void {
    this.#startedAtMs = this.#clock.now();
  }

  add(bytes: number): void {
    this.#bytes += bytes;
  }

  pause(): void {
    this.#pausedAtMs ??= this.#clock.now();
  }

  resume(): void {
    if (this.#pausedAtMs !== undefined) this.#startedAtMs += this.#clock.now() - this.#pausedAtMs;
    this.#pausedAtMs = undefined;
  }

  /** To be asked with each piece: between two of them the client's pause is limited by itself. */
  get isTooSlow(): boolean {
    const { graceMs, minBytesPerSecond } = this.#limits;
    if (minBytesPerSecond === 0) return false;
    const allowedMs = graceMs + (this.#bytes * 1000) / minBytesPerSecond;
    return this.#clock.now() - this.#startedAtMs > allowedMs;
  }
}

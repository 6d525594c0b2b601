import type { Clock } from '../contracts/clock.js';

/** Over when it has not happened for so long. */
const QUIET_MS = 10_000;

/** Something that happens in swarms, told once when it begins and once, with its count, when it is over. */
export class Episode<Facts = void> {
  readonly #clock: Clock;
  readonly #onBegin: (facts: Facts) => void;
  readonly #onEnd: (times: number) => void;
  #times = 0;
  #lastAtMs = 0;

  constructor(clock: Clock, onBegin: (facts: Facts) => void, onEnd: (times: number) => void) {
    this.#clock = clock;
    this.#onBegin = onBegin;
    this.#onEnd = onEnd;
  }

  /** `facts`: those of the first time are told. */
  happen(facts: Facts): void {
    this.#times += 1;
    this.#lastAtMs = this.#clock.now();
    if (this.#times > 1) return;
    this.#onBegin(facts);
    this.#lookLater(QUIET_MS);
  }

  // Private

  #lookLater(delayMs: number): void {
    this.#clock.after(delayMs, () => {
      const leftMs = this.#lastAtMs + QUIET_MS - this.#clock.now();
      if (leftMs > 0) {
        this.#lookLater(leftMs);
        return;
      }
      const times = this.#times;
      this.#times = 0;
      this.#onEnd(times);
    });
  }
}

import type { Clock } from './clock.js';

/**
 * A condition variable: lets others wait until something holds. Whoever changes what they may wait for calls notifyAll().
 */
export class Condition {
  readonly #clock: Clock;
  readonly #checks = new Set<() => void>();

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  /** Resolves when it holds, or after `timeoutMs`; without one it may wait for ever. */
  async waitFor(holds: () => boolean, timeoutMs = Number.POSITIVE_INFINITY): Promise<void> {
    if (holds() || timeoutMs <= 0) return;
    await new Promise<void>((resolve) => {
      const end = (): void => {
        cancel();
        this.#checks.delete(check);
        resolve();
      };
      const check = (): void => {
        if (holds()) end();
      };
      const cancel = Number.isFinite(timeoutMs) ? this.#clock.after(timeoutMs, end) : () => {};
      this.#checks.add(check);
    });
  }

  notifyAll(): void {
    for (const check of this.#checks) check();
  }
}

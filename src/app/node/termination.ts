import { stopSignals } from '../../contracts/stray-signals.js';

/**
 * A signal to stop that does not come from easyserve. A service manager sends it to every process of the service at once, while
 * the front still has requests for this one: so the process goes on serving and asks for a successor, as a Python process does,
 * and the application gets its SIGTERM when easyserve stops it.
 */
export class Termination {
  readonly #onSignal: () => void;
  readonly #emit = process.emit as (name: string, ...args: unknown[]) => boolean;
  readonly #ignore = (): void => {};
  #isDelivered = false;

  constructor(onSignal: () => void) {
    this.#onSignal = onSignal;
    const take = (name: string, args: readonly unknown[]): boolean => this.#take(name, args);
    // Before the first listener: Node keeps the function that it finds then (lib/internal/process/signal.js).
    process.emit = ((name: string, ...args: unknown[]) => take(name, args)) as typeof process.emit;
    for (const signal of stopSignals) process.on(signal, this.#ignore);
  }

  /** Gives the application the signal; false when it has no listener for it. */
  deliver(): boolean {
    this.#isDelivered = true;
    if (process.listenerCount('SIGTERM') === 1) return false;
    // Code that counts the listeners (the package signal-exit does) must not find one too many.
    process.removeListener('SIGTERM', this.#ignore);
    return this.#send('SIGTERM', ['SIGTERM', 15]);
  }

  // Private

  #take(name: string, args: readonly unknown[]): boolean {
    if (!stopSignals.some((signal) => signal === name)) return this.#send(name, args);
    // After deliver() it is the signal that AppProcess sends beside its command, for the application's children.
    if (!this.#isDelivered) this.#onSignal();
    return true;
  }

  #send(name: string, args: readonly unknown[]): boolean {
    return Reflect.apply(this.#emit, process, [name, ...args]) as boolean;
  }
}

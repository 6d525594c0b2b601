/**
 * SIGTERM of an application in a process of its own. A service manager sends it to every process of the service at once, while
 * the front still has requests for this one: so it is a wish for a successor, as for a Python process, and the application
 * sees its SIGTERM when easyserve stops it. Made by preload.
 */
export class Termination {
  readonly #onWish: () => void;
  readonly #emit = process.emit as (name: string, ...args: unknown[]) => boolean;
  readonly #ignore = (): void => {};
  #isOver = false;

  constructor(onWish: () => void) {
    this.#onWish = onWish;
    const take = (name: string, args: readonly unknown[]): boolean => this.#take(name, args);
    // Before the first listener: Node keeps the function that it finds then (lib/internal/process/signal.js).
    process.emit = ((name: string, ...args: unknown[]) => take(name, args)) as typeof process.emit;
    process.on('SIGTERM', this.#ignore);
  }

  /** Gives the application the signal; false when it has no listener for it. */
  deliver(): boolean {
    this.#isOver = true;
    if (process.listenerCount('SIGTERM') === 1) return false;
    // Whoever counts the listeners (signal-exit does) must not find one too many.
    process.removeListener('SIGTERM', this.#ignore);
    return this.#send('SIGTERM', ['SIGTERM', 15]);
  }

  // Private

  #take(name: string, args: readonly unknown[]): boolean {
    if (name !== 'SIGTERM') return this.#send(name, args);
    // The second one is the signal that AppProcess sends beside its command.
    if (!this.#isOver) this.#onWish();
    return true;
  }

  #send(name: string, args: readonly unknown[]): boolean {
    return Reflect.apply(this.#emit, process, [name, ...args]) as boolean;
  }
}

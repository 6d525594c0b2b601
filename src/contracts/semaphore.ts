/** Runs tasks in order of arrival, at most `permits` at a time. */
export class Semaphore {
  readonly #waiting: (() => void)[] = [];
  #free: number;

  constructor(permits: number) {
    this.#free = permits;
  }

  async run<T>(task: () => Promise<T>): Promise<T> {
    // A permit is handed over, not freed and taken again, so nobody slips in between.
    if (this.#free > 0) this.#free -= 1;
    else await new Promise<void>((resolve) => this.#waiting.push(resolve));
    try {
      return await task();
    } finally {
      const next = this.#waiting.shift();
      if (next === undefined) this.#free += 1;
      else next();
    }
  }

  /**
   * Does something for each item. After a failure nothing more begins; rejects with the first one when what was under way has
   * ended.
   */
  async runEach<T>(items: readonly T[], act: (item: T) => Promise<void>): Promise<void> {
    const failures: unknown[] = [];
    const task = async (item: T): Promise<void> => {
      if (failures.length === 0) await act(item);
    };
    const noteFailure = (error: unknown) => failures.push(error);
    await Promise.all(items.map((item) => this.run(() => task(item).catch(noteFailure))));
    if (failures.length > 0) throw failures[0];
  }
}

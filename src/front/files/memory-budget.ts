/** Something in memory that can be let go. */
export interface Held {
  /** Set by each use of the body; the budget clears it when it looks for something to let go. */
  wasUsed: boolean;
  body: Buffer | undefined;
}

/**
 * How much memory the bodies of static files may take.
 *
 * When it is full, what has not been used lately makes room (the second-chance algorithm): a hit costs one assignment, and a
 * crawler that reads every file once doesn't push out what the visitors need.
 */
export class MemoryBudget {
  readonly #limitBytes: number;
  /** In order of arrival; what gets a second chance moves to the end. */
  readonly #held = new Map<Held, number>();
  #usedBytes = 0;

  constructor(limitBytes: number) {
    this.#limitBytes = limitBytes;
  }

  get usedBytes(): number {
    return this.#usedBytes;
  }

  /** Keeps the body in `entry.body` until room is needed. What is larger than the whole budget is not kept. */
  hold(entry: Held, body: Buffer): void {
    this.release(entry);
    if (body.length > this.#limitBytes) return;
    this.#makeRoom(body.length);
    entry.body = body;
    this.#held.set(entry, body.length);
    this.#usedBytes += body.length;
  }

  release(entry: Held): void {
    this.#usedBytes -= this.#held.get(entry) ?? 0;
    this.#held.delete(entry);
    entry.body = undefined;
  }

  // Private

  #makeRoom(bytes: number): void {
    // A Map visits what is added during the visit, so an entry that got a second chance is looked at again.
    for (const [entry, size] of this.#held) {
      if (this.#usedBytes + bytes <= this.#limitBytes) return;
      if (entry.wasUsed) {
        entry.wasUsed = false;
        this.#held.delete(entry);
        this.#held.set(entry, size);
      } else {
        this.release(entry);
      }
    }
  }
}

/** Connections without a request, in the order in which they are given up. */
export class IdleConnections<Connection extends { readonly silentSinceMs: number }> {
  /** They have had an answer, and wait for the next request: a client expects that such a one is closed. The longest idle first. */
  readonly #kept = new Set<Connection>();
  /** Their first request may be on its way. */
  readonly #fresh = new Set<Connection>();

  addFresh(connection: Connection): void {
    this.#fresh.add(connection);
  }

  addKept(connection: Connection): void {
    this.#kept.add(connection);
  }

  delete(connection: Connection): void {
    this.#kept.delete(connection);
    this.#fresh.delete(connection);
  }

  /** Some that have had an answer, or else one that has not and was made at this time at the latest. */
  choose(atMost: number, madeByMs: number): readonly Connection[] {
    const kept = [...first(this.#kept, atMost)];
    if (kept.length > 0) return kept;
    return [...first(this.#fresh, 1)].filter(({ silentSinceMs }) => silentSinceMs <= madeByMs);
  }
}

// Private

function* first<T>(all: Iterable<T>, count: number): Iterable<T> {
  let left = count;
  for (const one of all) {
    if (left === 0) return;
    left -= 1;
    yield one;
  }
}

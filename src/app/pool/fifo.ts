/** First in, first out; each call takes about the same time, however many wait (Array.shift moves all of them). */
export class Fifo<T> {
  /** Undefined once it is taken, so that nothing keeps it in memory. */
  #items: (T | undefined)[] = [];
  #first = 0;

  get length(): number {
    return this.#items.length - this.#first;
  }

  push(item: T): void {
    this.#items.push(item);
  }

  shift(): T | undefined {
    if (this.length === 0) return undefined;
    const item = this.#items[this.#first];
    this.#items[this.#first] = undefined;
    this.#first += 1;
    if (this.#first > 512 || this.length === 0) this.#compact();
    return item;
  }

  /** The last one. */
  pop(): T | undefined {
    return this.length === 0 ? undefined : this.#items.pop();
  }

  keep(isKept: (item: T) => boolean): void {
    this.#compact();
    this.#items = this.#items.filter((item) => isKept(item as T));
  }

  // Private

  #compact(): void {
    if (this.#first === 0) return;
    this.#items = this.#items.slice(this.#first);
    this.#first = 0;
  }
}

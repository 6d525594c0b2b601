import type { Clock } from '../../contracts/clock.js';
import type { PendingRequest, RequestFailure } from '../../contracts/upstream.js';
import { type Load, Overload } from './overload.js';

interface Waiting<R> {
  readonly request: R;
  readonly sinceMs: number;
}

/**
 * The requests that wait for an idle thread: bounded in number and time, first come, first served.
 *
 * Those whose client has left are dropped when they come up, and when the queue is full.
 */
export class RequestQueue<R extends PendingRequest> {
  readonly #clock: Clock;
  readonly #overload: Overload;
  /** Undefined once it is taken, so that nothing keeps the request and its body in memory. */
  #waiting: (Waiting<R> | undefined)[] = [];
  /** Index of the first one: to shift an array of a thousand entries for each request is slow. */
  #first = 0;

  constructor(clock: Clock) {
    this.#clock = clock;
    this.#overload = new Overload(clock);
  }

  get length(): number {
    return this.#waiting.length - this.#first;
  }

  /** False when `limit` requests wait already, or it would wait too long at what is served by `load` (Overload). */
  add(request: R, limit: number, load?: Load): boolean {
    if (load !== undefined && this.#overload.isTooLong(this.length, load)) return false;
    if (this.length >= limit) this.#keep(({ request: { isAbandoned } }) => !isAbandoned);
    if (this.length >= limit) return false;
    this.#waiting.push({ request, sinceMs: this.#clock.now() });
    return true;
  }

  /** Puts a request that has waited already in front of all others. */
  addFirst(request: R): void {
    this.#compact();
    this.#waiting.unshift({ request, sinceMs: this.#clock.now() });
  }

  take(): R | undefined {
    while (this.#first < this.#waiting.length) {
      const request = this.#waiting[this.#first]?.request;
      this.#waiting[this.#first] = undefined;
      this.#first += 1;
      if (this.#first > 512) this.#compact();
      if (request?.isAbandoned !== false) continue;
      this.#overload.countTaken();
      return request;
    }
    this.#compact();
    return undefined;
  }

  /** Fails those that have waited longer than `timeoutMs`. */
  expire(timeoutMs: number): void {
    const deadline = this.#clock.now() - timeoutMs;
    const expired: R[] = [];
    // All are looked at, because one that was put in front came later than those behind it.
    this.#keep(({ request, sinceMs }) => {
      if (request.isAbandoned) return false;
      if (sinceMs <= deadline) expired.push(request);
      return sinceMs > deadline;
    });
    for (const request of expired) request.fail('queue-timeout');
  }

  failAll(reason: RequestFailure): void {
    for (let request = this.take(); request !== undefined; request = this.take()) request.fail(reason);
  }

  // Private

  #compact(): void {
    if (this.#first === 0) return;
    this.#waiting = this.#waiting.slice(this.#first);
    this.#first = 0;
  }

  #keep(isKept: (waiting: Waiting<R>) => boolean): void {
    this.#waiting = this.#waiting.filter((waiting) => waiting !== undefined && isKept(waiting));
    this.#first = 0;
  }
}

import type { Clock } from '../../contracts/clock.js';
import type { PendingRequest, RequestFailure } from '../../contracts/upstream.js';
import { Episode } from '../../log/episode.js';
import type { Log } from '../../log/log.js';
import { Fifo } from './fifo.js';
import { type Load, Overload } from './overload.js';

interface Waiting<R> {
  readonly request: R;
  readonly sinceMs: number;
}

type Line<R> = Fifo<Waiting<R>>;

/**
 * The requests that wait for an idle thread: bounded in number and time. Each client has a line of its own, and the clients are served in
 * turn, so that one with hundreds of requests makes nobody wait but itself (fair queuing, RFC 970).
 *
 * Those whose client has left are dropped when they come up, and when the queue is full.
 */
export class RequestQueue<R extends PendingRequest> {
  readonly #clock: Clock;
  readonly #overload: Overload;
  readonly #refusals: Episode;
  /** Put in front of all lines; the next one is the last. */
  #front: Waiting<R>[] = [];
  /** By client; none is empty. */
  readonly #lines = new Map<string, Line<R>>();
  /** Every client that has a line, once. */
  readonly #turns = new Fifo<string>();
  #length = 0;

  constructor(clock: Clock, log: Log) {
    this.#clock = clock;
    this.#overload = new Overload(clock);
    this.#refusals = new Episode(
      clock,
      () =>
        log.warn('queue-full', 'requests come faster than they are answered: some get a 503 page at once', {
          queued: this.#length,
        }),
      (times) => log.info('queue-full-over', 'all requests find room in the queue again', { times }),
    );
  }

  get length(): number {
    return this.#length;
  }

  /**
   * Fails the request at once when it would wait too long at what is served by `load` (Overload). When `limit` requests wait already,
   * one is failed: the newest of the client that has most.
   */
  add(request: R, limit: number, load?: Load): void {
    const { client } = request;
    if (load !== undefined && this.#overload.isTooLong(this.#countAhead(client), load)) {
      this.#refuse(request);
      return;
    }
    if (this.#length >= limit) this.#keep(({ request: { isAbandoned } }) => !isAbandoned);
    if (this.#length >= limit) {
      const refused = this.#popLongerLine(this.#lengthOf(client) + 1);
      this.#refuse(refused ?? request);
      if (refused === undefined) return;
    }
    this.#push(client, request);
  }

  /** Puts a request that has waited already in front of all others. */
  addFirst(request: R): void {
    this.#front.push({ request, sinceMs: this.#clock.now() });
    this.#length += 1;
  }

  take(): R | undefined {
    const request = this.#takeFirst() ?? this.#takeInTurn();
    if (request !== undefined) this.#overload.countTaken();
    return request;
  }

  /** Fails those that have waited longer than `timeoutMs`. */
  expire(timeoutMs: number): void {
    const deadline = this.#clock.now() - timeoutMs;
    const expired: R[] = [];
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

  #lengthOf(client: string): number {
    return this.#lines.get(client)?.length ?? 0;
  }

  /** At most so many are served before one more of this client: its own, and as many of each other and one. */
  #countAhead(client: string): number {
    const own = this.#lengthOf(client);
    const others = own === 0 ? this.#lines.size : this.#lines.size - 1;
    return Math.min(this.#length, this.#front.length + own + others * (own + 1));
  }

  #push(client: string, request: R): void {
    let line = this.#lines.get(client);
    if (line === undefined) {
      line = new Fifo();
      this.#lines.set(client, line);
      this.#turns.push(client);
    }
    line.push({ request, sinceMs: this.#clock.now() });
    this.#length += 1;
  }

  /** The newest of the longest line, where that is longer than `length`. */
  #popLongerLine(length: number): R | undefined {
    let longest: Line<R> | undefined;
    for (const line of this.#lines.values()) {
      if (line.length > (longest?.length ?? length)) longest = line;
    }
    if (longest === undefined) return undefined;
    this.#length -= 1;
    return longest.pop()?.request;
  }

  #refuse(request: R): void {
    this.#refusals.happen();
    request.fail('queue-full');
  }

  #takeFirst(): R | undefined {
    for (let waiting = this.#front.pop(); waiting !== undefined; waiting = this.#front.pop()) {
      this.#length -= 1;
      if (!waiting.request.isAbandoned) return waiting.request;
    }
    return undefined;
  }

  #takeInTurn(): R | undefined {
    for (let client = this.#turns.shift(); client !== undefined; client = this.#turns.shift()) {
      const line = this.#lines.get(client);
      const request = line && this.#takeFrom(line);
      if (line === undefined || line.length === 0) this.#lines.delete(client);
      else this.#turns.push(client);
      if (request !== undefined) return request;
    }
    return undefined;
  }

  #takeFrom(line: Line<R>): R | undefined {
    for (let waiting = line.shift(); waiting !== undefined; waiting = line.shift()) {
      this.#length -= 1;
      if (!waiting.request.isAbandoned) return waiting.request;
    }
    return undefined;
  }

  #keep(isKept: (waiting: Waiting<R>) => boolean): void {
    this.#front = this.#front.filter(isKept);
    this.#length = this.#front.length;
    for (const [client, line] of this.#lines) {
      line.keep(isKept);
      this.#length += line.length;
      if (line.length === 0) this.#lines.delete(client);
    }
    if (this.#turns.length > this.#lines.size) this.#turns.keep((client) => this.#lines.has(client));
  }
}

import type { PendingRequest, RequestFailure } from '../../src/contracts/upstream.js';

let count = 0;

/** A request as the pool sees it, without a client. */
export class FakeRequest implements PendingRequest {
  readonly id: string;
  readonly method: string;
  readonly path: string;
  /** Grows from request to request. */
  readonly arrivedAtMs: number;
  client = '192.0.2.1';
  isAbandoned = false;
  hasAnswer = false;
  failure: RequestFailure | undefined;
  /** Paths of the sockets that it was sent to. */
  readonly sentTo: string[] = [];
  #repeats = 0;

  constructor(id: string, method = 'GET', path = '/') {
    count += 1;
    this.arrivedAtMs = count;
    this.id = id;
    this.path = path;
    this.method = method;
  }

  get isWaiting(): boolean {
    return !this.isAbandoned && !this.hasAnswer && this.failure === undefined;
  }

  takeRetry(): boolean {
    if (this.#repeats >= 3 || !this.isWaiting || this.method !== 'GET') return false;
    this.#repeats += 1;
    return true;
  }

  fail(reason: RequestFailure): void {
    this.failure ??= reason;
  }
}

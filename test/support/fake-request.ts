import type { PendingRequest, RequestFailure } from '../../src/contracts/upstream.js';

/** A request as the pool sees it, without a client. */
export class FakeRequest implements PendingRequest {
  readonly id: string;
  readonly method: string;
  readonly path = '/';
  isAbandoned = false;
  hasAnswer = false;
  failure: RequestFailure | undefined;
  /** Paths of the sockets that it was sent to. */
  readonly sentTo: string[] = [];
  #wasRetried = false;

  constructor(id: string, method = 'GET') {
    this.id = id;
    this.method = method;
  }

  get isWaiting(): boolean {
    return !this.isAbandoned && !this.hasAnswer && this.failure === undefined;
  }

  takeRetry(): boolean {
    if (this.#wasRetried || !this.isWaiting || this.method !== 'GET') return false;
    this.#wasRetried = true;
    return true;
  }

  fail(reason: RequestFailure): void {
    this.failure ??= reason;
  }
}

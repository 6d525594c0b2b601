import type { Clock } from '../../contracts/clock.js';
import { Condition } from '../../contracts/condition.js';
import type { PendingRequest } from '../../contracts/upstream.js';
import type { Log } from '../../log/log.js';

/** Connections break before the end of their process is seen: this much before, on a busy machine. */
const DEATH_NOTICE_MS = 500;

/** The requests whose connection to one process has ended, until it is known whether the process has ended too. */
export class LostRequests<R> {
  readonly #clock: Clock;
  /** The process lives. */
  readonly #onLost: (request: R) => void;
  /** With what ends the wait. */
  readonly #held = new Map<R, () => void>();
  /** Notified when none is held any more. */
  readonly #known: Condition;

  constructor(clock: Clock, onLost: (request: R) => void) {
    this.#clock = clock;
    this.#onLost = onLost;
    this.#known = new Condition(clock);
  }

  hold(request: R): void {
    const cancel = this.#clock.after(DEATH_NOTICE_MS, () => {
      this.#held.delete(request);
      this.#onLost(request);
      this.#known.notifyAll();
    });
    this.#held.set(request, cancel);
  }

  /** Resolves when it is known of all whether the process has ended. */
  known(): Promise<void> {
    return this.#known.waitFor(() => this.#held.size === 0);
  }

  /** The process has ended: these were in flight. */
  takeAll(): R[] {
    const requests = [...this.#held.keys()];
    for (const cancel of this.#held.values()) cancel();
    this.#held.clear();
    this.#known.notifyAll();
    return requests;
  }
}

export function logRetry({ id: requestId, method, path }: PendingRequest, log: Log): void {
  log.warn('request-retried', 'the application process ended: the request is sent to another one', {
    ...{ requestId, method, path },
  });
}

export function logLoss({ id: requestId, method, path }: PendingRequest, log: Log): void {
  log.error('request-lost', 'the application process ended while it worked on this request', {
    ...{ requestId, method, path },
  });
}

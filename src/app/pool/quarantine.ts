import type { Clock } from '../../contracts/clock.js';
import type { SuspectStatus } from '../../contracts/status.js';
import type { PendingRequest, RequestFailure } from '../../contracts/upstream.js';
import type { Log } from '../../log/log.js';
import { logLoss, logRetry } from './lost-requests.js';
import type { PoolMember } from './pool-member.js';
import { RequestQueue } from './request-queue.js';
import type { Standby } from './standby.js';
import { SuspectTable } from './suspect-table.js';

export interface QuarantineOptions<R extends PendingRequest> {
  readonly clock: Clock;
  readonly log: Log;
  /** Of the generation that serves. */
  readonly standby: () => Standby<R> | undefined;
  /** Takes a request that is no suspect any more. */
  readonly resend: (request: R) => void;
}

/** What crashes usually does so at once: after this long the next one is let in beside it. */
const ALONE_MS = 500;
/** So long without use the standby process is kept. */
const STANDBY_REST_MS = 60_000;

/**
 * What becomes of requests whose process has ended, and of those that may end another one.
 *
 * A request that was alone in its process has ended it, and is answered with a 502. Of several, those that can be repeated run
 * once more on a process of their own (Standby), one after another, the newest first, because what crashes usually does so
 * soon. Once the culprit is known, the others go the usual way again.
 */
export class Quarantine<R extends PendingRequest> {
  readonly #options: QuarantineOptions<R>;
  readonly #suspects: SuspectTable;
  readonly #queue: RequestQueue<R>;
  /** Sent to the standby process. */
  readonly #running = new Set<R>();
  #lastSentMs = 0;
  #usedAtMs = 0;
  #isTimed = false;

  constructor(options: QuarantineOptions<R>) {
    this.#options = options;
    this.#suspects = new SuspectTable(options.clock, options.log);
    this.#queue = new RequestQueue(options.clock, options.log);
  }

  get queued(): number {
    return this.#queue.length;
  }

  /** False when it is no suspect, and has to be sent by the caller. */
  admit(request: R, queueRequests: number): boolean {
    this.#running.delete(request);
    switch (this.#suspects.treatmentOf(request)) {
      case 'usual':
        return false;
      case 'refused':
        request.fail('suspect');
        return true;
      case 'apart':
        this.#queue.add(request, queueRequests);
        this.serve();
        return true;
    }
  }

  /** A process has ended by itself, with these in flight. */
  onDied(inFlight: readonly R[]): void {
    this.#usedAtMs = this.#options.clock.now();
    const [first] = inFlight;
    if (first === undefined) return;
    const isApart = inFlight.every((request) => this.#running.has(request));
    const isOneAddress = inFlight.every(({ method, path }) => method === first.method && path === first.path);
    const isKnown = inFlight.length === 1 || (isApart && isOneAddress);
    if (isKnown) this.#suspects.recordDeath(first, { isApart });
    else this.#suspects.recordSuspicion(inFlight);
    for (const request of [...inFlight].sort((a, b) => a.arrivedAtMs - b.arrivedAtMs)) {
      this.#running.delete(request);
      if (isKnown || !request.takeRetry()) this.#fail(request);
      else this.#repeat(request);
    }
    this.#sortOut();
    this.serve();
  }

  /** Something may have ended or become ready: sends what can be sent. */
  serve(): void {
    const standby = this.#options.standby();
    if (standby === undefined) return;
    if (this.#running.size > 0 && standby.ready !== undefined) this.#noteAnswers(standby.ready);
    if (this.#queue.length === 0) return;
    this.#usedAtMs = this.#options.clock.now();
    if (standby.ready === undefined) standby.keep();
    else this.#sendTo(standby.ready);
  }

  /** To be called now and then. */
  sweep(queueTimeoutMs: number): void {
    this.#queue.expire(queueTimeoutMs);
    const isAtRest = this.#options.clock.now() - this.#usedAtMs > STANDBY_REST_MS;
    this.serve();
    if (isAtRest && this.#queue.length === 0 && this.#running.size === 0) this.#options.standby()?.drop();
  }

  failAll(reason: RequestFailure): void {
    this.#queue.failAll(reason);
  }

  /** Another release serves, which may have mended what crashed. */
  forgetAll(): void {
    this.#suspects.clear();
    this.#running.clear();
    this.#sortOut();
  }

  suspects(): SuspectStatus[] {
    return this.#suspects.list();
  }

  // Private

  #sendTo(member: PoolMember<R>): void {
    const { clock } = this.#options;
    while (member.idle > 0 && (this.#running.size === 0 || clock.now() - this.#lastSentMs >= ALONE_MS)) {
      const request = this.#queue.take();
      if (request === undefined) return;
      this.#running.add(request);
      this.#lastSentMs = clock.now();
      member.send(request);
    }
    if (this.#isTimed) return;
    this.#isTimed = true;
    clock.after(ALONE_MS, () => {
      this.#isTimed = false;
      this.serve();
    });
  }

  /** One that still waits for its answer is lost, or runs. */
  #noteAnswers(member: PoolMember<R>): void {
    const carried = new Set([...(member.upstream?.requests() ?? [])].map(({ request }) => request));
    let isCleared = false;
    for (const request of this.#running) {
      if (carried.has(request) || request.isWaiting) continue;
      this.#running.delete(request);
      if (!request.isAbandoned && this.#suspects.recordAnswer(request)) isCleared = true;
    }
    if (isCleared) this.#sortOut();
  }

  /** What waits here as a suspect, and is none any more, goes the usual way; what is refused by now is answered. */
  #sortOut(): void {
    const waiting: R[] = [];
    for (let request = this.#queue.take(); request !== undefined; request = this.#queue.take()) {
      waiting.push(request);
    }
    for (const request of waiting) {
      const treatment = this.#suspects.treatmentOf(request);
      if (treatment === 'usual') this.#options.resend(request);
      else if (treatment === 'refused') request.fail('suspect');
      else this.#queue.add(request, Number.POSITIVE_INFINITY);
    }
  }

  #repeat(request: R): void {
    logRetry(request, this.#options.log);
    this.#queue.addFirst(request);
  }

  #fail(request: R): void {
    logLoss(request, this.#options.log);
    request.fail('upstream-died');
  }
}

import { request as openRequest } from 'node:http';
import { setImmediate as nextTurn } from 'node:timers/promises';
import type { Clock } from '../../contracts/clock.js';
import type {
  InFlight,
  Probe,
  ProbeResult,
  Upstream,
  UpstreamAddress,
  UpstreamObserver,
} from '../../contracts/upstream.js';
import type { Log } from '../../log/log.js';
import { AppConnections } from './app-connections.js';
import type { AppRequest } from './app-request.js';
import { type ForwardingOptions, type ForwardingOwner, HttpForwarding } from './http-forwarding.js';
import { HttpProxy } from './http-proxy.js';
import { ProbeRequest } from './probe-request.js';

export interface HttpClientOptions {
  readonly address: UpstreamAddress;
  /** Requests at the same time; streams do not count. */
  readonly concurrency: number;
  readonly observer: UpstreamObserver<AppRequest>;
  readonly log: Log;
  readonly clock: Clock;
}

/** When to try again to connect to a process that lives but does not listen. */
const RECONNECT_MS = 200;
/** How soon the end of a process is usually noticed. */
const DEATH_NOTICE_MS = 100;

/**
 * One process of an HTTP application server as the front reaches it, through http-proxy. Its sibling is GatewayClient.
 *
 * Only what may be sent twice goes on a kept connection, because the server may close it in the same moment; everything
 * else gets one of its own.
 */
export class HttpClient implements Upstream<AppRequest>, ForwardingOwner {
  readonly #options: HttpClientOptions;
  readonly #proxy = new HttpProxy();
  readonly #kept: AppConnections;
  readonly #fresh: AppConnections;
  readonly #running = new Set<HttpForwarding>();
  #streams = 0;
  #finished = 0;
  /**
   * `refused`: nobody listened a moment ago. `closing`: what the process has written is still read.
   *
   *   open ⇄ refused     open, refused → closing → closed
   */
  #state: 'open' | 'refused' | 'closing' | 'closed' = 'open';
  #closed: Promise<void> | undefined;
  /** Requests whose connection broke off, while it isn't known yet whether the process has ended. */
  readonly #losing = new Set<() => void>();
  readonly #probes = new Set<ProbeRequest>();

  constructor(options: HttpClientOptions) {
    this.#options = options;
    this.#kept = new AppConnections(options.clock, { keepAlive: true });
    this.#fresh = new AppConnections(options.clock, { keepAlive: false });
  }

  get idle(): number {
    if (this.#state !== 'open') return 0;
    return Math.max(0, this.#options.concurrency - this.#running.size + this.#streams);
  }

  get inFlight(): number {
    return this.#running.size;
  }

  get streams(): number {
    return this.#streams;
  }

  get finished(): number {
    return this.#finished;
  }

  send(request: AppRequest): void {
    const isRepeatable = request.isSafe && request.body.kind === 'none';
    const startedAtMs = this.#options.clock.now();
    this.#start(request, isRepeatable ? this.#kept : this.#fresh, { startedAtMs, isSecondTry: false });
  }

  *requests(): Iterable<InFlight<AppRequest>> {
    for (const { request, startedAtMs } of this.#running) yield { request, startedAtMs, thread: undefined };
  }

  probe(wanted: Probe): Promise<ProbeResult> {
    const { clock, address } = this.#options;
    const probe = new ProbeRequest(wanted, clock);
    this.#probes.add(probe);
    const place = 'path' in address.place ? { socketPath: address.place.path } : address.place;
    const { headers } = probe;
    const request = openRequest({ ...place, path: wanted.path, headers, agent: this.#fresh }, (answer) => {
      const { location } = answer.headers;
      probe.start(`${answer.statusCode}${location === undefined ? '' : `\0location\0${location}`}`);
      answer.on('data', (piece: Buffer) => probe.write(piece));
      answer.once('error', ({ message }) => probe.fail(message));
      answer.once('end', () => probe.end());
    });
    request.once('error', ({ message }) => probe.fail(message));
    probe.attach({ onAbandoned: () => request.destroy() });
    request.end();
    return probe.result.finally(() => this.#probes.delete(probe));
  }

  close(): Promise<void> {
    this.#closed ??= this.#readLastWords().then(() => this.#cut());
    return this.#closed;
  }

  // ForwardingOwner

  onStream(): void {
    this.#streams += 1;
    this.#options.observer.onIdle();
  }

  onFinished(forwarding: HttpForwarding): void {
    this.#running.delete(forwarding);
    if (forwarding.isStream) this.#streams -= 1;
    this.#finished += 1;
    // After the answer has left, which the next request would delay.
    setImmediate(() => this.#options.observer.onIdle());
  }

  onCut(forwarding: HttpForwarding): void {
    this.onFinished(forwarding);
    if (!forwarding.isStream) this.#options.observer.onCut(forwarding.request);
  }

  onBroken(forwarding: HttpForwarding, error: Error, { wasReused }: { wasReused: boolean }): void {
    const { observer, log } = this.#options;
    const { request, startedAtMs } = forwarding;
    log.debug('upstream-broken', 'the application server closed a connection without an answer', {
      requestId: request.id,
      error: error.message,
    });
    if (isRefusal(error)) this.#pause();
    if (wasReused && !this.#isClosing) {
      this.#running.delete(forwarding);
      this.#start(request, this.#fresh, { startedAtMs, isSecondTry: true });
    } else if (isRefusal(error) && !forwarding.isSecondTry) {
      this.onFinished(forwarding);
      observer.onUnsent(request);
    } else this.#lose(forwarding);
  }

  // Private

  #start(
    request: AppRequest,
    agent: AppConnections,
    tries: Pick<ForwardingOptions, 'startedAtMs' | 'isSecondTry'>,
  ): void {
    const { place } = this.#options.address;
    const forwarding = new HttpForwarding({ request, proxy: this.#proxy, place, agent, ...tries }, this);
    this.#running.add(forwarding);
    forwarding.start();
  }

  /**
   * A process that dies may still accept connections in its last moment: the request is tried again only once its
   * end has been noticed, or should have been.
   */
  #lose(forwarding: HttpForwarding): void {
    const { clock, observer } = this.#options;
    const settle = (): void => {
      cancel();
      this.#losing.delete(settle);
      this.onFinished(forwarding);
      observer.onLost(forwarding.request);
    };
    const cancel = clock.after(DEATH_NOTICE_MS, settle);
    this.#losing.add(settle);
    if (this.#state === 'closed') settle();
  }

  /** Usually the process is ending, which is about to be noticed. */
  #pause(): void {
    if (this.#state !== 'open') return;
    this.#state = 'refused';
    this.#options.clock.after(RECONNECT_MS, () => {
      if (this.#state !== 'refused') return;
      this.#state = 'open';
      this.#options.observer.onIdle();
    });
  }

  get #isClosing(): boolean {
    return this.#state === 'closing' || this.#state === 'closed';
  }

  /** What a process has written before its end is still on its way: two turns of the event loop read it. */
  async #readLastWords(): Promise<void> {
    this.#state = 'closing';
    for (const probe of this.#probes) probe.fail('the application process ended');
    await nextTurn();
    await nextTurn();
  }

  #cut(): void {
    this.#state = 'closed';
    for (const settle of [...this.#losing]) settle();
    for (const forwarding of [...this.#running]) forwarding.close();
    this.#kept.destroy();
    this.#fresh.destroy();
  }
}

// Private

/** The socket has no listener, or is gone (connect(2)). */
function isRefusal({ code }: NodeJS.ErrnoException): boolean {
  return code === 'ECONNREFUSED' || code === 'ENOENT';
}

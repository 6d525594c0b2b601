import { request as openRequest } from 'node:http';
import type { Clock } from '../../contracts/clock.js';
import type {
  InFlight,
  Probe,
  ProbeResult,
  SocketPlace,
  Upstream,
  UpstreamAddress,
  UpstreamObserver,
} from '../../contracts/upstream.js';
import type { Log } from '../../log/log.js';
import { AppConnections } from './app-connections.js';
import type { AppRequest } from './app-request.js';
import { type ForwardingOwner, HttpForwarding } from './http-forwarding.js';
import { HttpProxy } from './http-proxy.js';

export interface HttpClientOptions {
  readonly address: UpstreamAddress;
  /** Requests at the same time; streams do not count. */
  readonly concurrency: number;
  readonly observer: UpstreamObserver<AppRequest>;
  readonly log: Log;
  readonly clock: Clock;
}

/** A process that lives and does not listen is asked again. */
const RECONNECT_MS = 200;
const DEATH_NOTICE_MS = 100;
const BODY_HEAD_BYTES = 2000;

/**
 * One process of an HTTP application server as the front reaches it, through http-proxy. Its sibling is GatewayClient.
 *
 * Made by Site for app/app-pool. Only what may be sent twice goes on a kept connection, for the server may close it in
 * the same moment; everything else gets one of its own.
 */
export class HttpClient implements Upstream<AppRequest>, ForwardingOwner {
  readonly #options: HttpClientOptions;
  readonly #proxy = new HttpProxy();
  readonly #kept: AppConnections;
  readonly #fresh: AppConnections;
  readonly #running = new Set<HttpForwarding>();
  #streams = 0;
  #finished = 0;
  #isClosed = false;
  /** Nobody listened a moment ago. */
  #isRefused = false;
  /** Nothing more is read from the process. */
  #hasEnded = false;
  /** Requests whose connection broke off, while it isn't known yet whether the process has ended. */
  readonly #losing = new Set<() => void>();
  #failProbe: ((error: Error) => void) | undefined;

  constructor(options: HttpClientOptions) {
    this.#options = options;
    this.#kept = new AppConnections(options.clock, { keepAlive: true });
    this.#fresh = new AppConnections(options.clock, { keepAlive: false });
  }

  get idle(): number {
    return this.#isClosed || this.#isRefused
      ? 0
      : Math.max(0, this.#options.concurrency - this.#running.size + this.#streams);
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
    this.#start(request, isRepeatable ? this.#kept : this.#fresh, this.#options.clock.now());
  }

  *requests(): Iterable<InFlight<AppRequest>> {
    for (const { request, startedAtMs } of this.#running) yield { request, startedAtMs, thread: undefined };
  }

  probe(probe: Probe): Promise<ProbeResult> {
    const { clock, address } = this.#options;
    return new Promise<ProbeResult>((resolve, reject) => {
      const cancel = clock.after(probe.timeoutMs, () =>
        fail(new Error(`no answer within ${probe.timeoutMs / 1000} s`)),
      );
      const fail = (error: Error): void => {
        cancel();
        reject(error);
        request.destroy();
      };
      this.#failProbe = fail;
      const request = sendProbe(probe, { place: address.place, agent: this.#fresh }, fail, (result) => {
        cancel();
        resolve(result);
      });
    }).finally(() => {
      this.#failProbe = undefined;
    });
  }

  /** What a process has written before its end is still on its way: it gets two turns of the event loop to be read. */
  close(): void {
    if (this.#isClosed) return;
    this.#isClosed = true;
    this.#failProbe?.(new Error('the application process ended'));
    setImmediate(() => setImmediate(() => this.#cut()));
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
    // Not before the answer has left: the next request would delay it.
    setImmediate(() => this.#options.observer.onIdle());
  }

  onBroken(forwarding: HttpForwarding, error: Error, wasReused: boolean): void {
    const { observer, log } = this.#options;
    const { request, startedAtMs } = forwarding;
    log.debug('upstream-broken', 'the application server closed a connection without an answer', {
      requestId: request.id,
      error: error.message,
    });
    if (wasReused && !this.#isClosed) {
      this.#running.delete(forwarding);
      this.#start(request, this.#fresh, startedAtMs);
    } else if (isRefusal(error)) {
      this.#pause();
      this.onFinished(forwarding);
      observer.onUnsent(request);
    } else this.#lose(forwarding);
  }

  // Private

  #start(request: AppRequest, agent: AppConnections, startedAtMs: number): void {
    const { place } = this.#options.address;
    const forwarding = new HttpForwarding({ request, proxy: this.#proxy, place, agent, startedAtMs }, this);
    this.#running.add(forwarding);
    forwarding.start();
  }

  /**
   * A process that dies may still accept connections in its last moment: the next try is left until its end is noticed,
   * which is soon, or has not come.
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
    if (this.#hasEnded) settle();
  }

  /** Usually the process is gone or going, and its end is about to be noticed. */
  #pause(): void {
    if (this.#isRefused) return;
    this.#isRefused = true;
    this.#options.clock.after(RECONNECT_MS, () => {
      this.#isRefused = false;
      if (!this.#isClosed) this.#options.observer.onIdle();
    });
  }

  #cut(): void {
    this.#hasEnded = true;
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

function sendProbe(
  { path, host }: Probe,
  { place, agent }: { place: SocketPlace; agent: AppConnections },
  onError: (error: Error) => void,
  onResult: (result: ProbeResult) => void,
): ReturnType<typeof openRequest> {
  const headers = {
    host,
    'user-agent': 'easyserve-probe',
    accept: '*/*',
    'x-forwarded-for': '127.0.0.1',
    'x-forwarded-proto': 'http',
    'x-forwarded-host': host,
  };
  const where = 'path' in place ? { socketPath: place.path } : place;
  const request = openRequest({ ...where, path, headers, agent }, (answer) => {
    let bodyHead = '';
    answer.on('data', (piece: Buffer) => {
      const room = BODY_HEAD_BYTES - bodyHead.length;
      if (room > 0) bodyHead += piece.toString('utf8', 0, room);
    });
    answer.once('error', onError);
    answer.once('end', () => onResult({ status: answer.statusCode as number, bodyHead }));
  });
  request.once('error', onError);
  request.end();
  return request;
}

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
import { AppRequest } from './app-request.js';
import { type ConnectionOwner, GatewayConnection } from './gateway-connection.js';
import { ProbeRequest } from './probe-request.js';

export interface GatewayClientOptions {
  readonly address: UpstreamAddress;
  readonly threads: number;
  readonly observer: UpstreamObserver<AppRequest>;
  readonly log: Log;
  readonly clock: Clock;
  /** Asked for each request: whether the application runs in other processes too. */
  readonly isMultiprocess: () => boolean;
}

type Carried = AppRequest | ProbeRequest;

/** When to try again to connect to a process that lives but cannot take a connection now (its backlog is full). */
const RECONNECT_MS = 200;

/**
 * One gateway process as the front reaches it: a connection to each of its threads.
 *
 * A connection that the front closes is replaced at once; one that breaks makes the whole upstream unusable until its thread
 * says hello again, because then the process is most likely dying.
 */
export class GatewayClient implements Upstream<AppRequest>, ConnectionOwner<Carried> {
  readonly #options: GatewayClientOptions;
  readonly #connections = new Set<GatewayConnection<Carried>>();
  /** Last in, first out: the caches of a thread that was busy a moment ago are still warm. */
  readonly #idle: GatewayConnection<Carried>[] = [];
  #finished = 0;
  #broken = 0;
  #isClosed = false;
  /** Waits for the first thread that comes into service. */
  readonly #probes = new Set<ProbeRequest>();

  constructor(options: GatewayClientOptions) {
    this.#options = options;
    for (let thread = 0; thread < options.threads; thread += 1) this.#connect();
  }

  get idle(): number {
    return this.#broken > 0 ? 0 : this.#idle.length;
  }

  get inFlight(): number {
    return [...this.#connections].filter(({ request }) => request !== undefined).length;
  }

  /** An event stream occupies a thread like any other request. */
  get streams(): number {
    return 0;
  }

  get finished(): number {
    return this.#finished;
  }

  send(request: AppRequest): void {
    // It came for another kind of server, which a reload has replaced. A gateway gets no chunked bodies.
    if (request.body.kind === 'streamed' && request.body.length === undefined) {
      request.fail('unavailable');
      return;
    }
    this.#carry(request);
  }

  *requests(): Iterable<InFlight<AppRequest>> {
    for (const { request, startedAtMs, thread } of this.#connections) {
      if (request instanceof AppRequest) yield { request, startedAtMs, thread };
    }
  }

  probe(probe: Probe): Promise<ProbeResult> {
    const request = new ProbeRequest(probe, this.#options.clock);
    this.#probes.add(request);
    if (this.#idle.length > 0) this.#sendProbe();
    return request.result.finally(() => {
      this.#probes.delete(request);
    });
  }

  async close(): Promise<void> {
    this.#isClosed = true;
    for (const probe of this.#probes) probe.fail('the application process ended');
    const carried = [...this.#connections].map((connection) => connection.close());
    this.#connections.clear();
    this.#idle.length = 0;
    for (const request of carried) {
      if (request instanceof ProbeRequest) request.fail('the application process ended');
      else if (request !== undefined) this.#lose(request);
    }
  }

  // ConnectionOwner

  now(): number {
    return this.#options.clock.now();
  }

  onHello(connection: GatewayConnection<Carried>): void {
    if (this.#broken > 0) this.#broken -= 1;
    this.onIdle(connection);
  }

  onIdle(connection: GatewayConnection<Carried>): void {
    this.#idle.push(connection);
    if (this.#probes.size > 0) this.#sendProbe();
    else this.#options.observer.onIdle();
  }

  onFinished(): void {
    this.#finished += 1;
  }

  onBroken(connection: GatewayConnection<Carried>, lost: Carried | undefined): void {
    this.#forget(connection);
    this.#broken += 1;
    if (!this.#isClosed) this.#connect();
    if (lost instanceof ProbeRequest) lost.fail('the application process ended');
    else if (lost !== undefined) this.#lose(lost);
  }

  onReleased(connection: GatewayConnection<Carried>, ended: Carried | undefined): void {
    this.#forget(connection);
    if (ended instanceof AppRequest) this.#options.observer.onCut(ended);
    if (!this.#isClosed) this.#connect();
    // The thread may notice late that nobody waits for the rest; a reload need not wait for that.
    if (this.inFlight === 0) this.#options.observer.onIdle();
  }

  onRefused(connection: GatewayConnection<Carried>, error: Error): void {
    this.#connections.delete(connection);
    // Usually the process is ending; the pool hears of its exit, and closes this client.
    this.#options.clock.after(RECONNECT_MS, () => {
      if (!this.#isClosed) this.#connect();
    });
    this.#options.log.debug('gateway-refused', 'a thread of the application cannot be reached', {
      place: this.#options.address.place,
      error: error.message,
    });
  }

  onProtocolError(connection: GatewayConnection<Carried>, error: Error): void {
    this.#options.log.error('gateway-protocol', 'the gateway sent what is no answer', {
      place: this.#options.address.place,
      thread: connection.thread,
      error: error.message,
    });
  }

  // Private

  #lose(request: AppRequest): void {
    const { observer } = this.#options;
    if (request.isWaiting) {
      observer.onLost(request);
      return;
    }
    request.fail('upstream-died');
    observer.onCut(request);
  }

  #connect(): void {
    this.#connections.add(new GatewayConnection<Carried>(this.#options.address, this));
  }

  #sendProbe(): void {
    const [probe] = this.#probes;
    if (probe === undefined) return;
    this.#probes.delete(probe);
    this.#carry(probe);
  }

  #carry(request: Carried): void {
    const connection = this.#idle.pop();
    if (connection === undefined) throw new Error('no idle thread');
    connection.send(request, { isMultiprocess: this.#options.isMultiprocess() });
  }

  #forget(connection: GatewayConnection<Carried>): void {
    this.#connections.delete(connection);
    const at = this.#idle.indexOf(connection);
    if (at >= 0) this.#idle.splice(at, 1);
  }
}

import type {
  InFlight,
  Probe,
  ProbeResult,
  Upstream,
  UpstreamObserver,
} from '../../src/contracts/upstream.js';
import type { FakeRequest } from './fake-request.js';

/** The front's side of an application process, without sockets: its threads say hello at once. */
export class FakeUpstream implements Upstream<FakeRequest> {
  /** Path of the process's socket. */
  readonly path: string;
  readonly isMultiprocess: () => boolean;
  readonly probes: Probe[] = [];
  /** What the probe answers; a promise that hangs until the test says so, or an error. */
  probeResult: () => Promise<ProbeResult>;
  finished = 0;
  /** Of those in flight. */
  streams = 0;
  isClosed = false;
  readonly #threads: number;
  readonly #observer: UpstreamObserver<FakeRequest>;
  readonly #now: () => number;
  readonly #inFlight: InFlight<FakeRequest>[] = [];

  constructor(options: {
    path: string;
    threads: number;
    observer: UpstreamObserver<FakeRequest>;
    isMultiprocess: () => boolean;
    now: () => number;
    probeResult: () => Promise<ProbeResult>;
  }) {
    this.path = options.path;
    this.#threads = options.threads;
    this.#observer = options.observer;
    this.#now = options.now;
    this.isMultiprocess = options.isMultiprocess;
    this.probeResult = options.probeResult;
  }

  get idle(): number {
    return this.isClosed ? 0 : this.#threads - this.#inFlight.length;
  }

  get inFlight(): number {
    return this.#inFlight.length;
  }

  get carried(): string[] {
    return this.#inFlight.map(({ request }) => request.id);
  }

  send(request: FakeRequest): void {
    if (this.idle <= 0) throw new Error('no idle thread');
    request.sentTo.push(this.path);
    this.#inFlight.push({ request, startedAtMs: this.#now(), thread: this.#inFlight.length });
  }

  requests(): Iterable<InFlight<FakeRequest>> {
    return this.#inFlight;
  }

  probe(probe: Probe): Promise<ProbeResult> {
    this.probes.push(probe);
    return this.probeResult();
  }

  async close(): Promise<void> {
    this.isClosed = true;
    this.lose();
  }

  /** The application has answered its oldest request, or as many as are said. */
  finish(count = 1): void {
    for (const { request } of this.#inFlight.splice(0, count)) {
      request.hasAnswer = true;
      this.finished += 1;
      this.streams = Math.max(0, this.streams - 1);
      this.#observer.onIdle();
    }
  }

  /** The oldest requests turn out to be WebSockets or event streams; finish() ends them first. */
  becomeStreams(count = 1): void {
    this.streams += count;
    this.#observer.onIdle();
  }

  /** Nobody listens any more: the oldest request was not sent, and no other can be. */
  refuse(): void {
    this.isClosed = true;
    const [first] = this.#inFlight.splice(0, 1);
    if (first !== undefined) this.#observer.onUnsent(first.request);
  }

  /** The connections break. */
  lose(): void {
    this.isClosed = true;
    for (const { request } of this.#inFlight.splice(0)) this.#observer.onLost(request);
  }
}

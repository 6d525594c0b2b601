import { StartError } from '../../contracts/errors.js';
import type { AppStatus } from '../../contracts/status.js';
import type { Dispatcher, PendingRequest } from '../../contracts/upstream.js';
import type { Log } from '../../log/log.js';
import type { Settings } from '../../settings/settings.js';
import { atOnce } from './drain-waits.js';
import { Generation, type GenerationContext, type ProbeRule } from './generation.js';
import { RecyclePolicy } from './recycle-policy.js';
import type { Release } from './release.js';
import { RequestQueue } from './request-queue.js';
import { StuckRequests } from './stuck-requests.js';

const SWEEP_MS = 1000;

export type AppPoolOptions<R extends PendingRequest> = Omit<
  GenerationContext<R>,
  'onIdle' | 'onLost' | 'onUnsent' | 'onUnavailable' | 'nextSocketNumber'
>;

/**
 * Which application process gets a request: one queue in front of all processes of the current generation.
 *
 * Created by Site. The front dispatches here; a reload prepares a second generation beside the current one, and commit()
 * makes it the current one between two requests.
 */
export class AppPool<R extends PendingRequest> implements Dispatcher<R> {
  readonly #context: GenerationContext<R>;
  readonly #log: Log;
  readonly #queue: RequestQueue<R>;
  readonly #recycle: RecyclePolicy;
  readonly #stuck: StuckRequests<R>;
  readonly #stopSweep: () => void;
  #current: Generation<R> | undefined;
  #next: Generation<R> | undefined;
  /** Replaced ones that still have processes. */
  readonly #retiring = new Set<Generation<R>>();
  #socketNumber = 0;
  #onEmpty: (() => void) | undefined;
  #isStopped = false;

  constructor(options: AppPoolOptions<R>) {
    this.#log = options.log;
    this.#queue = new RequestQueue(options.clock);
    this.#recycle = new RecyclePolicy(options.clock);
    this.#stuck = new StuckRequests(options.clock, options.log);
    this.#context = {
      ...options,
      nextSocketNumber: () => {
        this.#socketNumber += 1;
        return this.#socketNumber;
      },
      onIdle: () => this.#serveQueue(),
      onLost: (request) => this.#retry(request),
      onUnsent: (request) => this.#requeue(request),
      onUnavailable: () => this.#queue.failAll('unavailable'),
    };
    this.#stopSweep = options.clock.every(SWEEP_MS, () => this.#sweep());
  }

  get queued(): number {
    return this.#queue.length;
  }

  /** Sends the request to the process with most idle threads, or lets it wait for one. */
  dispatch(request: R): void {
    const current = this.#current;
    if (current === undefined || current.isUnavailable) {
      request.fail(this.#isStopped ? 'stopping' : 'unavailable');
      return;
    }
    // Those that wait already go first.
    const member = this.#queue.length === 0 ? current.choose() : undefined;
    if (member !== undefined) member.send(request);
    else if (!this.#queue.add(request, current.release.settings.queueRequests)) {
      this.#log.warn('queue-full', 'all threads are busy and the queue is full: a request got a 503 page', {
        requestId: request.id,
        queued: this.#queue.length,
      });
      request.fail('queue-full');
    }
  }

  /**
   * Starts the processes of a release beside the current ones: all of them, or a share. Throws StartError; nothing has
   * changed then.
   */
  async prepare(release: Release, rule: ProbeRule, processes = release.plan.processes): Promise<void> {
    if (this.#isStopped) throw new StartError('start-stopped', 'The start was broken off.');
    const next = new Generation(release, processes, this.#context);
    this.#next = next;
    try {
      await next.start(rule);
    } catch (error) {
      if (this.#next === next) this.#next = undefined;
      throw error;
    }
  }

  /** The prepared generation takes over at once; the old one drains (drained()). */
  commit(): void {
    const next = this.#next;
    if (next === undefined) throw new Error('nothing is prepared');
    const previous = this.#current;
    this.#current = next;
    this.#next = undefined;
    next.activate();
    this.#serveQueue();
    if (previous !== undefined) this.#retire(previous);
  }

  async discard(): Promise<void> {
    const next = this.#next;
    this.#next = undefined;
    await next?.retire(atOnce);
  }

  /** Resolves when of replaced generations nothing is left but streams; those go on until their own deadline. */
  async drained(): Promise<void> {
    await Promise.all([...this.#retiring].map((generation) => generation.answered()));
  }

  async scale(processes: number, totalProcesses: number): Promise<void> {
    await this.#current?.scale(processes, totalProcesses);
  }

  configure(settings: Settings): void {
    this.#current?.configure(settings);
  }

  async status(): Promise<AppStatus[]> {
    return Promise.all(
      this.#generations()
        .flatMap((generation) => [...generation.members].map((member) => ({ generation, member })))
        .map(async ({ generation, member }) => ({
          pid: member.process.pid,
          state: member.state,
          generation: member.generation,
          threads: generation.release.plan.threads,
          inFlight: member.inFlight,
          streams: member.streams,
          requests: member.finished,
          restarts: member.restarts,
          rssBytes: await member.process.memoryBytes(),
          startedAt: member.startedAt,
        })),
    );
  }

  /** Waits until no request but streams is queued or in flight, or for the deadline; then ends all processes. */
  async stop(drainTimeoutMs: number): Promise<void> {
    this.#stopSweep();
    await this.#emptied(drainTimeoutMs);
    this.#queue.failAll('stopping');
    const generations = this.#generations();
    this.#isStopped = true;
    this.#current = undefined;
    this.#next = undefined;
    await Promise.all(generations.map((generation) => generation.retire(atOnce)));
  }

  /** Ends all processes at once; resolves when they are gone. */
  async kill(): Promise<void> {
    this.#stopSweep();
    this.#isStopped = true;
    await Promise.all(this.#generations().map((generation) => generation.kill()));
  }

  // Private

  #generations(): Generation<R>[] {
    const all = [this.#current, this.#next, ...this.#retiring];
    return all.filter((generation) => generation !== undefined);
  }

  #retire(generation: Generation<R>): void {
    this.#retiring.add(generation);
    void generation.retire(generation.release.settings).finally(() => this.#retiring.delete(generation));
  }

  #serveQueue(): void {
    while (this.#queue.length > 0) {
      const member = this.#current?.choose();
      if (member === undefined) return;
      const request = this.#queue.take();
      if (request === undefined) break;
      member.send(request);
    }
    this.#checkEmpty();
  }

  #checkEmpty(): void {
    if (this.#onEmpty !== undefined && this.#isEmpty()) this.#onEmpty();
  }

  #isEmpty(): boolean {
    if (this.#queue.length > 0) return false;
    return this.#generations().every(({ members }) =>
      [...members].every(({ inFlight, streams }) => inFlight === streams),
    );
  }

  #emptied(timeoutMs: number): Promise<void> {
    if (this.#isEmpty()) return Promise.resolve();
    return new Promise((resolve) => {
      const cancel = this.#context.clock.after(timeoutMs, resolve);
      this.#onEmpty = () => {
        cancel();
        resolve();
      };
    });
  }

  /** Once more, on another process, when that is safe; a request that cannot be repeated gets a 502. */
  #retry(request: R): void {
    if (!request.takeRetry()) {
      this.#log.error('request-lost', 'the application process ended while it worked on this request', {
        requestId: request.id,
        method: request.method,
        path: request.path,
      });
      request.fail('upstream-died');
      this.#checkEmpty();
      return;
    }
    this.#log.warn('request-retried', 'the application process ended: the request is sent to another one', {
      requestId: request.id,
      method: request.method,
      path: request.path,
    });
    this.#requeue(request);
  }

  /** For the next process that can take it, before all that came later. */
  #requeue(request: R): void {
    if (request.isAbandoned) return;
    this.#queue.addFirst(request);
    if (this.#current === undefined) this.#queue.failAll('stopping');
    else if (this.#current.isUnavailable) this.#queue.failAll('unavailable');
    else this.#serveQueue();
  }

  #sweep(): void {
    const current = this.#current;
    if (current === undefined) return;
    const { settings } = current.release;
    this.#queue.expire(settings.queueTimeoutMs);
    for (const member of current.members) {
      if (member.state !== 'ready' || member.isLeaving) continue;
      const reason = member.dueReason ?? this.#recycle.reasonFor(member, settings);
      if (reason !== undefined) void current.replace(member, reason);
    }
    for (const generation of this.#generations()) {
      for (const member of generation.members) {
        void this.#stuck.check(member, settings.requestTimeoutMs).then((isStuck) => {
          if (isStuck) void generation.replace(member, 'a request was stuck');
        });
      }
    }
  }
}

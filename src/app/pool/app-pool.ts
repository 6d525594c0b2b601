import { Condition } from '../../contracts/condition.js';
import { StartError } from '../../contracts/errors.js';
import type { SiteStatus } from '../../contracts/status.js';
import type {
  Dispatcher,
  PendingRequest,
  Probe,
  ProbeResult,
  RequestFailure,
} from '../../contracts/upstream.js';
import type { Log } from '../../log/log.js';
import type { Settings } from '../../settings/settings.js';
import { describeApp } from './describe-app.js';
import { atOnce, isAnswered } from './drain.js';
import { DueReplacements } from './due-replacements.js';
import { Generation } from './generation.js';
import type { GenerationContext } from './generation-context.js';
import type { ProbeRule } from './health.js';
import { logLoss, logRetry } from './lost-requests.js';
import { MemberLauncher, type MemberLauncherOptions } from './member-launcher.js';
import type { PoolMember } from './pool-member.js';
import { Quarantine } from './quarantine.js';
import type { Release } from './release.js';
import { RequestQueue } from './request-queue.js';
import { SessionPlaces } from './session-places.js';

const SWEEP_MS = 1000;

/**
 * Which application process gets a request: one queue in front of all processes of the current generation.
 *
 * A reload prepares a second generation beside the current one, and commit() makes it the current one between two requests.
 */
export class AppPool<R extends PendingRequest> implements Dispatcher<R> {
  readonly #context: GenerationContext<R>;
  readonly #log: Log;
  readonly #queue: RequestQueue<R>;
  readonly #quarantine: Quarantine<R>;
  readonly #sessions: SessionPlaces<R>;
  /** Notified when a request has ended or has turned out to be a stream, and when a process is gone. */
  readonly #progress: Condition;
  readonly #due: DueReplacements<R>;
  readonly #stopSweep: () => void;
  #current: Generation<R> | undefined;
  #next: Generation<R> | undefined;
  /** Replaced ones that still have processes. */
  readonly #retiring = new Set<Generation<R>>();
  #isStopped = false;

  constructor(options: MemberLauncherOptions<R>) {
    const { clock, log } = options;
    this.#log = log;
    this.#queue = new RequestQueue(clock, log);
    this.#quarantine = new Quarantine({
      ...{ clock, log },
      standby: () => this.#current?.standby,
      resend: (request) => this.#requeue(request),
    });
    this.#sessions = new SessionPlaces(clock, log, (request) => this.#requeue(request));
    this.#due = new DueReplacements(clock, log);
    this.#progress = new Condition(clock);
    this.#context = {
      launcher: new MemberLauncher(options),
      observer: {
        onIdle: () => this.#onIdle(),
        onLost: (request) => this.#retry(request),
        onUnsent: (request) => this.#requeue(request),
        onUnavailable: () => this.#failQueue('unavailable'),
        onDied: (inFlight) => {
          this.#quarantine.onDied(inFlight);
          this.#serveQueue();
        },
        onNoStandby: () => this.#quarantine.failAll('unavailable'),
      },
      progress: this.#progress,
      clock,
      log,
    };
    this.#stopSweep = clock.every(SWEEP_MS, () => this.#sweep());
  }

  /** Requests that wait for a thread. */
  get queued(): number {
    return this.#queue.length + this.#quarantine.queued + this.#sessions.queued;
  }

  /**
   * Sends the request to the process with most idle threads, or lets it wait for one; fails it when it can't even wait.
   * Throws nothing.
   */
  dispatch(request: R): void {
    const current = this.#current;
    if (current === undefined || current.isUnavailable) {
      request.fail(this.#isStopped ? 'stopping' : 'unavailable');
      return;
    }
    if (this.#quarantine.admit(request, current.release.settings.queueRequests)) return;
    if (request.tie !== undefined && this.#sessions.admit(request, current)) return;
    // Requests that wait already go first.
    const member = this.#queue.length === 0 ? current.choose() : undefined;
    if (member !== undefined) this.#sessions.send(request, member);
    else this.#queue.add(request, current.release.settings.queueRequests, current);
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
      await next.start(rule, (probe) => this.#askCurrent(probe));
    } catch (error) {
      if (this.#next === next) this.#next = undefined;
      throw error;
    }
  }

  /** The prepared generation takes over at once; the old one drains (drained()). Throws when nothing is prepared. */
  commit(): void {
    const next = this.#next;
    if (next === undefined) throw new Error('nothing is prepared');
    const previous = this.#current;
    this.#current = next;
    this.#next = undefined;
    next.activate();
    this.#quarantine.forgetAll();
    this.#sessions.forgetAll();
    this.#serveQueue();
    if (previous !== undefined) this.#retire(previous);
  }

  /** Ends what was prepared; resolves when it is gone. Throws nothing. */
  async discard(): Promise<void> {
    const next = this.#next;
    this.#next = undefined;
    await next?.retire(atOnce);
  }

  /** Resolves when of replaced generations nothing is left but streams, which go on until their own deadline. */
  async drained(): Promise<void> {
    await Promise.all([...this.#retiring].map((generation) => generation.answered()));
  }

  /** Throws StartError when a process does not start; the number is the old one then. `totalProcesses`: of all sites. */
  async scale(processes: number, totalProcesses: number): Promise<void> {
    await this.#current?.scale(processes, totalProcesses);
  }

  /** Puts settings into force that change nothing about the processes themselves. */
  configure(settings: Settings): void {
    this.#current?.configure(settings);
  }

  async status(): Promise<Pick<SiteStatus, 'apps' | 'standby' | 'suspects'>> {
    const described = this.#generations().flatMap(({ members, standby, release }) =>
      [...members].map(async (member) => ({
        isStandby: member === standby.member,
        app: await describeApp(member, release.plan),
      })),
    );
    const all = await Promise.all(described);
    return {
      apps: all.filter(({ isStandby }) => !isStandby).map(({ app }) => app),
      standby: all.find(({ isStandby }) => isStandby)?.app,
      suspects: this.#quarantine.suspects(),
    };
  }

  /**
   * Waits until no request but streams is queued or in flight, or for the deadline; then ends all processes, and resolves when
   * they are gone. Throws nothing.
   */
  async stop(drainTimeoutMs: number): Promise<void> {
    this.#stopSweep();
    await this.#progress.waitFor(() => this.#isEmpty(), drainTimeoutMs);
    this.#failQueue('stopping');
    this.#quarantine.failAll('stopping');
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

  /** What a visitor gets now; undefined where nothing serves, or does not answer. */
  async #askCurrent(probe: Probe): Promise<ProbeResult | undefined> {
    const { members = [], release } = this.#current ?? {};
    const member = [...members].find(({ state }) => state === 'ready');
    const scriptName = release?.settings.scriptName ?? '';
    return member?.ask({ ...probe, scriptName }).catch(() => undefined);
  }

  #generations(): Generation<R>[] {
    const all = [this.#current, this.#next, ...this.#retiring];
    return all.filter((generation) => generation !== undefined);
  }

  #retire(generation: Generation<R>): void {
    this.#retiring.add(generation);
    void generation.retire(generation.release.settings).finally(() => this.#retiring.delete(generation));
  }

  #onIdle(): void {
    this.#quarantine.serve();
    this.#serveQueue();
  }

  #serveQueue(): void {
    this.#sessions.serve(this.#current);
    for (let member = this.#chooseForQueue(); member !== undefined; member = this.#chooseForQueue()) {
      const request = this.#queue.take();
      if (request === undefined) break;
      this.#sessions.send(request, member);
    }
    this.#progress.notifyAll();
  }

  #chooseForQueue(): PoolMember<R> | undefined {
    return this.#queue.length === 0 ? undefined : this.#current?.choose();
  }

  #failQueue(reason: RequestFailure): void {
    this.#queue.failAll(reason);
    this.#sessions.failAll(reason);
    this.#progress.notifyAll();
  }

  #isEmpty(): boolean {
    if (this.queued > 0) return false;
    return this.#generations().every(({ members }) => [...members].every(isAnswered));
  }

  /** Its connection has ended, and its process has not, or was told to: it is sent once more, when that is safe. */
  #retry(request: R): void {
    if (request.takeRetry()) {
      logRetry(request, this.#log);
      this.#requeue(request);
      return;
    }
    if (request.isWaiting) {
      logLoss(request, this.#log);
      request.fail('upstream-died');
    }
    this.#progress.notifyAll();
  }

  /** To the next process that can take it, before all that came later. */
  #requeue(request: R): void {
    const current = this.#current;
    if (current && this.#quarantine.admit(request, current.release.settings.queueRequests)) return;
    if (current && request.tie !== undefined && this.#sessions.admit(request, current)) return;
    if (!request.isAbandoned) this.#queue.addFirst(request);
    if (current === undefined) this.#failQueue('stopping');
    else if (current.isUnavailable) this.#failQueue('unavailable');
    else this.#serveQueue();
  }

  #sweep(): void {
    void this.#context.launcher.kills.observe();
    const current = this.#current;
    if (current === undefined) return;
    const { settings } = current.release;
    this.#queue.expire(settings.queueTimeoutMs);
    this.#sessions.expire(settings.queueTimeoutMs);
    this.#quarantine.sweep(settings.queueTimeoutMs);
    this.#due.sweep(current, this.#generations());
  }
}

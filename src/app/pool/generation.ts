import type { Clock } from '../../contracts/clock.js';
import { StartError } from '../../contracts/errors.js';
import { Semaphore } from '../../contracts/semaphore.js';
import type {
  PendingRequest,
  Upstream,
  UpstreamAddress,
  UpstreamObserver,
} from '../../contracts/upstream.js';
import type { Log } from '../../log/log.js';
import type { Settings } from '../../settings/settings.js';
import type { ExitFacts } from '../process/app-process.js';
import type { Kill, Spawn } from '../process/process-group.js';
import { readOutOfMemoryKills } from '../process/process-memory.js';
import type { Connect } from '../process/readiness-poll.js';
import type { ApplicationServer } from '../servers/application-server.js';
import { explainCrash } from './crash.js';
import { atOnce, type DrainTimes, DrainWaits } from './drain-waits.js';
import { probeOf } from './health.js';
import { launchMember } from './launch-member.js';
import type { PoolMember } from './pool-member.js';
import type { Release } from './release.js';
import { RestartPolicy } from './restart-policy.js';

/** The outside world, and the pool that a generation belongs to. */
export interface GenerationContext<R extends PendingRequest> {
  readonly serverFor: (release: Release) => ApplicationServer;
  readonly spawn: Spawn;
  readonly kill: Kill;
  /** Opens a connection, to find out whether a process listens. */
  readonly reach: Connect;
  /** Makes the front's side of a process that is ready (front/upstream); it gets `concurrency` requests at a time. */
  readonly connect: (
    address: UpstreamAddress,
    concurrency: number,
    observer: UpstreamObserver<R>,
    isMultiprocess: () => boolean,
  ) => Upstream<R>;
  /** Where the application processes' sockets are made. */
  readonly runFolder: string;
  /** Numbers the sockets of all generations of this site. */
  readonly nextSocketNumber: () => number;
  readonly clock: Clock;
  readonly log: Log;
  /** A thread can take a request. */
  readonly onIdle: () => void;
  readonly onLost: (request: R) => void;
  readonly onUnsent: (request: R) => void;
  /** No process is left, and none will come soon. */
  readonly onUnavailable: () => void;
}

/** What a failing probe means: `required` refuses the start, `reported` logs it, `skipped` makes none. */
export type ProbeRule = 'required' | 'reported' | 'skipped';

/**
 * The application processes of one release: started together, kept at their number, retired together.
 *
 * Created by AppPool for each prepare. A process that dies is started again at its place (RestartPolicy); one that is to
 * be recycled is replaced first, and retired then.
 */
export class Generation<R extends PendingRequest> {
  readonly #context: GenerationContext<R>;
  readonly #policy: RestartPolicy;
  /** Those that take requests, by place. */
  readonly #serving = new Map<number, PoolMember<R>>();
  /** All that have a process: starting, serving, retiring. */
  readonly #members = new Set<PoolMember<R>>();
  readonly #replacing = new Set<number>();
  /** Places whose successor did not start -> when to try again. */
  readonly #nextTryMs = new Map<number, number>();
  readonly #drainWaits: DrainWaits;
  #release: Release;
  /** How many there should be: of a cluster, the share of this site. */
  #processes: number;
  #isActive = false;
  #isRetired = false;

  constructor(release: Release, processes: number, context: GenerationContext<R>) {
    this.#release = release;
    this.#processes = processes;
    this.#context = context;
    this.#policy = new RestartPolicy(release.settings, context.clock);
    this.#drainWaits = new DrainWaits(context.clock);
  }

  get release(): Release {
    return this.#release;
  }

  get members(): ReadonlySet<PoolMember<R>> {
    return this.#members;
  }

  /** No process serves, and restarts have run out of budget. */
  get isUnavailable(): boolean {
    return this.#serving.size === 0 && this.#policy.isCrashLoop;
  }

  /** Starts all processes, some at a time (countLanes). Throws StartError; what was started is stopped then. */
  async start(rule: ProbeRule): Promise<void> {
    try {
      await this.#startPlaces([...Array(this.#processes).keys()], rule);
    } catch (error) {
      await this.retire(atOnce);
      throw error;
    }
  }

  /** From here on its processes get requests, and crashes are mended. */
  activate(): void {
    this.#isActive = true;
    for (let place = 0; place < this.#processes; place += 1) {
      if (!this.#serving.has(place)) this.#refill(place, 1);
    }
  }

  /** The serving process with most idle threads; undefined when all are busy. */
  choose(): PoolMember<R> | undefined {
    let chosen: PoolMember<R> | undefined;
    let most = 0;
    for (const member of this.#serving.values()) {
      const { idle } = member;
      if (idle > most) {
        most = idle;
        chosen = member;
      }
    }
    return chosen;
  }

  /** Settings that change nothing about the processes themselves. */
  configure(settings: Settings): void {
    this.#release = { ...this.#release, settings };
    this.#policy.configure(settings);
  }

  /** Starts more processes, or retires those with the highest places. Throws StartError when one does not start. */
  async scale(processes: number, totalProcesses: number): Promise<void> {
    const before = this.#processes;
    const { plan } = this.#release;
    this.#processes = processes;
    this.#release = { ...this.#release, plan: { ...plan, processes: totalProcesses } };
    const added = Array.from({ length: Math.max(0, processes - before) }, (_, index) => before + index);
    try {
      await this.#startPlaces(added, 'reported');
    } catch (error) {
      this.#processes = before;
      this.#release = { ...this.#release, plan };
      await this.#retirePlaces(before);
      throw error;
    }
    await this.#retirePlaces(processes);
  }

  /**
   * Starts a successor for one process, then retires it. When the successor does not start, the process stays, and is
   * due again after the longest pause of the restarts.
   */
  async replace(member: PoolMember<R>, reason: string): Promise<void> {
    const { place } = member;
    const { log, clock } = this.#context;
    if (member.isLeaving || this.#isRetired || this.#replacing.has(place)) return;
    member.dueReason = reason;
    if (clock.now() < (this.#nextTryMs.get(place) ?? 0)) return;
    const { pid } = member.process;
    log.info('app-recycle', `application ${pid} is recycled: ${reason}`, { app: pid, reason });
    this.#replacing.add(place);
    try {
      await this.#startMember(place, member.restarts, 'skipped');
    } catch (error) {
      if (this.#isRetired) return; // its processes were ended, not only this one
      this.#nextTryMs.set(place, clock.now() + this.#release.settings.restartBackoffMaxMs);
      log.error('app-recycle-failed', 'the successor of an application process did not start', {
        app: pid,
        error,
      });
      // It crashed while its successor was starting.
      if (!this.#members.has(member)) this.#refill(place, member.restarts + 1);
      return;
    } finally {
      // From here on a crash is the successor's, and is mended like any other.
      this.#replacing.delete(place);
    }
    this.#nextTryMs.delete(place);
    await this.#retireMember(member, this.#release.settings);
  }

  /** Ends all its processes: no new requests, what is in flight may end until its deadline. */
  async retire(times: DrainTimes): Promise<void> {
    this.#isRetired = true;
    this.#serving.clear();
    await Promise.all([...this.#members].map((member) => this.#retireMember(member, times)));
  }

  /** Resolves when nothing is left of it, once it is retired, but processes whose streams go on until their own deadline. */
  answered(): Promise<void> {
    return this.#drainWaits.onlyStreamsLeft(() => this.#members);
  }

  /** Ends all its processes at once; resolves when they are gone. */
  async kill(): Promise<void> {
    this.#isRetired = true;
    const members = [...this.#members];
    for (const member of members) member.process.kill();
    await Promise.all(members.map((member) => member.process.exited));
  }

  // Private

  #startPlaces(places: readonly number[], rule: ProbeRule): Promise<void> {
    const { startConcurrency, killTimeoutMs } = this.#release.settings;
    // At a reload half of them: the release that serves needs the processors too.
    const permits = rule === 'required' ? Math.ceil(startConcurrency / 2) : startConcurrency;
    return new Semaphore(permits).runEach(places, async (place) => {
      if (this.#isRetired) throw new StartError('start-stopped', 'The start was broken off.');
      await this.#startMember(place, 0, rule).catch((error: unknown) => {
        // One is enough to know: those that still load need not be waited for.
        for (const { state, place: other, process } of this.#members) {
          if (state === 'starting' && places.includes(other)) void process.stop(killTimeoutMs);
        }
        throw error;
      });
    });
  }

  /** Throws StartError; nothing of the process is left then. */
  async #startMember(place: number, restarts: number, rule: ProbeRule): Promise<void> {
    const { killTimeoutMs } = this.#release.settings;
    const predecessor = this.#serving.get(place);
    const member = this.#launch(place, restarts);
    const probe = rule === 'skipped' ? undefined : probeOf(this.#release);
    try {
      await member.start(probe, rule === 'required', killTimeoutMs);
    } finally {
      if (member.state === 'exited') this.#members.delete(member);
    }
    if (member.state === 'exited') {
      const detail = member.process.lastLines;
      throw new StartError('app-exited', 'The application ended right after it was ready.', { detail });
    }
    const present = this.#serving.get(place);
    const isFilled = present !== undefined && present !== predecessor;
    if (this.#isRetired || isFilled || place >= this.#processes) {
      await this.#retireMember(member, atOnce);
      return;
    }
    this.#serving.set(place, member);
    this.#context.log.info('app-ready', `application ${member.process.pid} is ready`, {
      app: member.process.pid,
      generation: this.#release.generation,
    });
    if (this.#isActive) this.#context.onIdle();
  }

  #launch(place: number, restarts: number): PoolMember<R> {
    const member = launchMember<R>(
      {
        release: this.#release,
        place,
        restarts,
        isMultiprocess: () => this.#release.plan.processes > 1,
        onIdle: () => this.#onIdle(),
        onTerminated: (terminated) => {
          if (terminated.state === 'ready') void this.replace(terminated, 'it got SIGTERM');
        },
      },
      this.#context,
    );
    this.#members.add(member);
    const killsBefore = readOutOfMemoryKills();
    void member.process.exited.then(async (exit) => this.#onExit(member, exit, await killsBefore));
    return member;
  }

  #onIdle(): void {
    this.#drainWaits.notice();
    this.#context.onIdle();
  }

  async #onExit(member: PoolMember<R>, exit: ExitFacts, killsBefore: number): Promise<void> {
    this.#members.delete(member);
    this.#drainWaits.notice();
    const wasServing = this.#serving.get(member.place) === member;
    if (wasServing) this.#serving.delete(member.place);
    if (member.isLeaving || this.#isRetired || !wasServing) return;
    const isOutOfMemory = exit.signal === 'SIGKILL' && (await readOutOfMemoryKills()) > killsBefore;
    this.#context.log.error('app-crashed', explainCrash(member.process.pid, exit, isOutOfMemory), {
      app: member.process.pid,
      code: exit.code,
      signal: exit.signal,
      isOutOfMemory,
      detail: exit.lastLines,
    });
    if (this.#isActive && !this.#replacing.has(member.place)) this.#refill(member.place, member.restarts + 1);
  }

  /** Starts a process at a place again, after the delay of the policy, until one starts. */
  #refill(place: number, restarts: number): void {
    const { clock, log } = this.#context;
    const delayMs = this.#policy.recordCrash();
    if (this.isUnavailable) {
      log.error(
        'crash-loop',
        'the application crashes again and again: visitors get a 503 page until it starts',
        { nextTryMs: Math.round(delayMs) },
      );
      this.#context.onUnavailable();
    }
    clock.after(delayMs, () => {
      if (this.#isRetired || place >= this.#processes || this.#serving.has(place)) return;
      this.#startMember(place, restarts, 'skipped').catch((error: unknown) => {
        if (this.#isRetired) return;
        log.error('app-start-failed', 'an application process did not start again', { error });
        this.#refill(place, restarts + 1);
      });
    });
  }

  /** Resolves when nothing is left of them but streams. */
  async #retirePlaces(from: number): Promise<void> {
    const leaving = [...this.#serving.values()].filter((member) => member.place >= from);
    for (const member of leaving) void this.#retireMember(member, this.#release.settings);
    await this.#drainWaits.onlyStreamsLeft(() => leaving.filter((member) => this.#members.has(member)));
  }

  async #retireMember(member: PoolMember<R>, times: DrainTimes): Promise<void> {
    if (this.#serving.get(member.place) === member) this.#serving.delete(member.place);
    const drained = this.#drainWaits.drained(member, times);
    await member.retire(drained, this.#release.settings.killTimeoutMs);
    this.#members.delete(member);
  }
}

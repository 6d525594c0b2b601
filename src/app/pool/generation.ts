import { StartError } from '../../contracts/errors.js';
import { Semaphore } from '../../contracts/semaphore.js';
import { startDespiteSignals } from '../../contracts/start-despite-signals.js';
import type { PendingRequest } from '../../contracts/upstream.js';
import type { Settings } from '../../settings/settings.js';
import { atOnce, type DrainTimes, drained, onlyStreamsLeft } from './drain.js';
import type { GenerationContext } from './generation-context.js';
import type { AskOther, ProbeRule } from './health.js';
import type { MemberEnding, PoolMember } from './pool-member.js';
import { Refill } from './refill.js';
import type { Release } from './release.js';
import { Replacement } from './replacement.js';
import { Standby } from './standby.js';

/** The place of the standby process, which is none. */
const BESIDE = -1;

/**
 * The application processes of one release: started together, kept at their number, retired together.
 *
 * A process that dies is started again at its place (Refill), or the standby process takes it. Of one that is to be recycled
 * the successor is started first.
 */
export class Generation<R extends PendingRequest> {
  readonly #context: GenerationContext<R>;
  readonly #refill: Refill<R>;
  readonly standby: Standby<R>;
  /** Those that take requests, by place. */
  readonly #serving = new Map<number, PoolMember<R>>();
  /** All that have a process: starting, serving, retiring. */
  readonly #members = new Set<PoolMember<R>>();
  readonly #replacement: Replacement<R>;
  #release: Release;
  /** How many there should be; of a cluster, the share of this site. */
  #processes: number;
  /** `prepared`: gets no requests yet. Only ever goes on to the next one. */
  #state: 'prepared' | 'active' | 'retired' = 'prepared';

  constructor(release: Release, processes: number, context: GenerationContext<R>) {
    this.#release = release;
    this.#processes = processes;
    this.#context = context;
    this.standby = this.#makeStandby();
    this.#refill = this.#makeRefill();
    this.#replacement = this.#makeReplacement();
  }

  get release(): Release {
    return this.#release;
  }

  get members(): ReadonlySet<PoolMember<R>> {
    return this.#members;
  }

  /** No process serves, and those that were tried did not start. */
  get isUnavailable(): boolean {
    return this.#serving.size === 0 && this.#refill.isCrashLoop;
  }

  /** Starts all processes, `startConcurrency` at a time. Throws StartError; what was started is stopped then. */
  async start(rule: ProbeRule, askBefore?: AskOther): Promise<void> {
    try {
      await this.#startPlaces([...Array(this.#processes).keys()], rule, askBefore);
    } catch (error) {
      await this.retire(atOnce);
      throw error;
    }
  }

  /** From here on its processes get requests, and crashed ones are started again. */
  activate(): void {
    this.#state = 'active';
    for (let place = 0; place < this.#processes; place += 1) {
      if (!this.#serving.has(place)) this.#refill.afterPause(place, 1);
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
    this.#refill.configure(settings);
  }

  /**
   * Starts more processes, or retires those with the highest places. Throws StartError when one does not start; the number is
   * the old one then.
   */
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
   * Starts a successor for one process, then retires it. When the successor does not start, the process stays, and the next
   * attempt follows after `restartBackoffMaxMs`. Throws nothing.
   */
  async replace(member: PoolMember<R>, reason: string): Promise<void> {
    if (member.place === BESIDE) this.standby.drop();
    else await this.#replacement.replace(member, reason);
  }

  /** Ends all its processes: no new requests, and what is in flight has until its deadline. Resolves when they are gone. */
  async retire(times: DrainTimes): Promise<void> {
    this.#state = 'retired';
    this.#serving.clear();
    await Promise.all([...this.#members].map((member) => this.#retireMember(member, times)));
  }

  /** Resolves when nothing is left of it, once it is retired, but processes whose streams go on until their own deadline. */
  answered(): Promise<void> {
    return onlyStreamsLeft(() => this.#members, this.#context.progress);
  }

  /** Ends all its processes at once; resolves when they are gone. */
  async kill(): Promise<void> {
    this.#state = 'retired';
    this.#serving.clear();
    await Promise.all([...this.#members].map(({ process }) => process.kill()));
  }

  // Private

  #makeRefill(): Refill<R> {
    const { observer } = this.#context;
    return new Refill({
      ...this.#context,
      settings: this.#release.settings,
      standby: this.standby,
      serve: (member) => this.#serve(member),
      start: (place, restarts) => this.#startMember(place, restarts, 'skipped'),
      isWanted: (place) => !this.#isRetired() && place < this.#processes && !this.#serving.has(place),
      onPause: () => {
        if (this.isUnavailable) observer.onUnavailable();
        return this.isUnavailable;
      },
    });
  }

  #makeReplacement(): Replacement<R> {
    return new Replacement({
      ...this.#context,
      start: ({ place, restarts }) => this.#startMember(place, restarts, 'skipped'),
      retire: (member) => this.#retireMember(member, this.#release.settings),
      refill: ({ place, restarts }) => this.#refill.afterPause(place, restarts + 1),
      isRetired: () => this.#isRetired(),
      pauseMs: () => this.#release.settings.restartBackoffMaxMs,
    });
  }

  #makeStandby(): Standby<R> {
    const { log, observer } = this.#context;
    return new Standby({
      launch: () => this.#launch(BESIDE, 0),
      retire: (member) => this.#retireMember(member, atOnce),
      log,
      onReady: () => observer.onIdle(),
      onFailed: () => observer.onNoStandby(),
    });
  }

  #startPlaces(places: readonly number[], rule: ProbeRule, askBefore?: AskOther): Promise<void> {
    const { startConcurrency, killTimeoutMs } = this.#release.settings;
    // At a reload half as many, because the release that serves needs the processors too.
    const permits = rule === 'required' ? Math.ceil(startConcurrency / 2) : startConcurrency;
    return new Semaphore(permits).runEach(places, async (place) => {
      const start = async (): Promise<void> => {
        if (this.#isRetired()) throw new StartError('start-stopped', 'The start was broken off.');
        await this.#startMember(place, 0, rule, askBefore);
      };
      await startDespiteSignals(start, this.#context).catch((error: unknown) => {
        // One failure is enough to know: those that still load are not waited for.
        for (const { state, place: other, process } of this.#members) {
          if (state === 'starting' && places.includes(other)) void process.stop(killTimeoutMs);
        }
        throw error;
      });
    });
  }

  /** Throws StartError; nothing of the process is left then. */
  async #startMember(place: number, restarts: number, rule: ProbeRule, askBefore?: AskOther): Promise<void> {
    const predecessor = this.#serving.get(place);
    const member = this.#launch(place, restarts);
    try {
      await member.start(rule, askBefore);
    } finally {
      if (member.state === 'exited') this.#members.delete(member);
    }
    const present = this.#serving.get(place);
    const isFilled = present !== undefined && present !== predecessor;
    if (this.#isRetired() || isFilled || place >= this.#processes) {
      await this.#retireMember(member, atOnce);
      return;
    }
    this.#serve(member);
  }

  #serve(member: PoolMember<R>): void {
    this.#serving.set(member.place, member);
    this.#context.log.info('app-ready', `application ${member.process.pid} is ready`, {
      app: member.process.pid,
      generation: this.#release.generation,
    });
    if (this.#state === 'active') this.#context.observer.onIdle();
  }

  #launch(place: number, restarts: number): PoolMember<R> {
    const { launcher, observer } = this.#context;
    const member = launcher.launch({
      ...{ release: this.#release, place, restarts, observer },
      isMultiprocess: () => this.#release.plan.processes > 1,
      onTerminated: (terminated) => void this.replace(terminated, 'a signal told it to stop'),
    });
    this.#members.add(member);
    void member.ended.then((ending) => this.#onEnded(member, ending));
    void member.process.exited.then(() => {
      this.#members.delete(member);
      this.#context.progress.notifyAll();
    });
    return member;
  }

  #onEnded(member: PoolMember<R>, { during, hadWork, inFlight }: MemberEnding<R>): void {
    const { place } = member;
    const wasServing = this.#serving.get(place) === member;
    const wasStandby = during === 'ready' && this.standby.forget(member);
    if (wasServing) this.#serving.delete(place);
    // One that did not start is told of by whoever started it.
    if (during !== 'draining' && !wasServing && !wasStandby) return;
    void member.logCrash();
    if (wasServing && this.#state === 'active' && !this.#replacement.isUnderWay(place))
      this.#refill.afterCrash(member, { hadWork });
    this.#context.observer.onDied(inFlight);
  }

  #isRetired(): boolean {
    return this.#state === 'retired';
  }

  /** Resolves when nothing is left of them but streams. */
  async #retirePlaces(from: number): Promise<void> {
    const leaving = [...this.#serving.values()].filter((member) => member.place >= from);
    for (const member of leaving) void this.#retireMember(member, this.#release.settings);
    await onlyStreamsLeft(
      () => leaving.filter((member) => this.#members.has(member)),
      this.#context.progress,
    );
  }

  async #retireMember(member: PoolMember<R>, times: DrainTimes): Promise<void> {
    if (this.#serving.get(member.place) === member) this.#serving.delete(member.place);
    await member.retire(drained(member, times, this.#context), this.#release.settings.killTimeoutMs);
    this.#members.delete(member);
  }
}

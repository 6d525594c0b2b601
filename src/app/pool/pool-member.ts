import type { Clock } from '../../contracts/clock.js';
import { StartError } from '../../contracts/errors.js';
import type { AppState } from '../../contracts/lifecycle.js';
import type { PendingRequest, Probe, ProbeResult, Upstream } from '../../contracts/upstream.js';
import type { Log } from '../../log/log.js';
import type { AppProcess } from '../process/app-process.js';
import type { ExitFacts } from '../process/explain-exit.js';
import type { OutOfMemoryKills } from '../process/out-of-memory.js';
import { askAsVisitor } from './ask-as-visitor.js';
import { type AskOther, checkProbe, type ProbeRule, probesOf } from './health.js';
import { LostRequests } from './lost-requests.js';
import type { Release } from './release.js';

export interface PoolMemberOptions<R extends PendingRequest> {
  readonly process: AppProcess;
  /** Opens the connections to the process once it listens. */
  readonly connect: () => Upstream<R>;
  readonly release: Release;
  readonly place: number;
  readonly restarts: number;
  readonly startedAtMs: number;
  readonly startedAt: string;
  /** A connection has ended, and the process has not, or was ended by us. */
  readonly onLost: (request: R) => void;
  readonly kills: OutOfMemoryKills;
  readonly clock: Clock;
  readonly log: Log;
}

/** How a process has ended. */
export interface MemberEnding<R> {
  /** The state in which it has ended: `stopping` when it was told to. */
  readonly during: AppState;
  /** It had requests, at its end or before. */
  readonly hadWork: boolean;
  /** The requests that it had at its end; none when it was told to end. */
  readonly inFlight: readonly R[];
}

/** One application process with the connections to it. */
export class PoolMember<R extends PendingRequest> {
  readonly process: AppProcess;
  readonly generation: number;
  /** Monotonic milliseconds. */
  readonly startedAtMs: number;
  /** ISO 8601. */
  readonly startedAt: string;
  /** Resolves when the process has ended; its last output may still come. Never rejects. */
  readonly ended: Promise<MemberEnding<R>>;
  readonly #options: PoolMemberOptions<R>;
  readonly #lost: LostRequests<R>;
  #place: number;
  #restarts: number;
  #upstream: Upstream<R> | undefined;

  constructor(options: PoolMemberOptions<R>) {
    this.#options = options;
    this.process = options.process;
    this.generation = options.release.generation;
    this.#place = options.place;
    this.#restarts = options.restarts;
    this.#lost = new LostRequests(options.clock, options.onLost);
    this.startedAtMs = options.startedAtMs;
    this.startedAt = options.startedAt;
    this.ended = this.process.ended.then(() => this.#onEnded());
  }

  /** Which of the pool's places it fills, counted from 0; a replacement takes the same. Negative: none. */
  get place(): number {
    return this.#place;
  }

  /** How often the place was refilled after a crash. */
  get restarts(): number {
    return this.#restarts;
  }

  takePlace(place: number, restarts: number): void {
    this.#place = place;
    this.#restarts = restarts;
  }

  /** Its connection has ended: whether it is to blame for the end of the process is known soon. */
  hold(request: R): void {
    this.#lost.hold(request);
  }

  get state(): AppState {
    return this.process.state;
  }

  /** How many requests it can take now. */
  get idle(): number {
    return this.state === 'ready' && this.process.isRunning ? (this.#upstream?.idle ?? 0) : 0;
  }

  get inFlight(): number {
    return this.#upstream?.inFlight ?? 0;
  }

  get streams(): number {
    return this.#upstream?.streams ?? 0;
  }

  get finished(): number {
    return this.#upstream?.finished ?? 0;
  }

  get upstream(): Upstream<R> | undefined {
    return this.#upstream;
  }

  /** Throws when the process is not ready, or can take no more requests (`idle`). */
  send(request: R): void {
    if (this.#upstream === undefined) throw new Error('the application is not connected');
    this.#upstream.send(request);
  }

  /**
   * Resolves when the process takes requests. `askBefore` asks the release that serves meanwhile. Throws StartError; the process
   * is gone then.
   */
  async start(rule: ProbeRule, askBefore?: AskOther): Promise<void> {
    try {
      await this.process.ready();
      this.#upstream = this.#options.connect();
      if (rule !== 'skipped') await this.#checkHealth(rule, askBefore);
      if (!this.process.isRunning) {
        const detail = this.process.lastLines;
        throw new StartError('app-exited', 'The application ended right after it was ready.', { detail });
      }
    } catch (error) {
      await this.process.stop(this.#options.release.settings.killTimeoutMs);
      throw error;
    }
  }

  /** What a visitor gets who follows redirects. Rejects where there is no answer. */
  ask(probe: Probe): Promise<ProbeResult> {
    if (this.#upstream === undefined) throw new Error('the application is not connected');
    return askAsVisitor(this.#upstream, probe, this.#options.clock);
  }

  /** No new request from here on. When `drained` has resolved what is left is cut; resolves when the process is gone. */
  async retire(drained: Promise<void>, killTimeoutMs: number): Promise<void> {
    this.process.drain();
    await Promise.race([drained, this.process.exited]);
    // A request that was cut may be the first sign of its end, which is to be told of as such.
    await this.#lost.known();
    if (this.inFlight > this.streams) {
      this.#options.log.warn(
        'drain-timeout',
        `application ${this.process.pid} still had requests at the drain deadline`,
        { app: this.process.pid, inFlight: this.inFlight },
      );
      void this.#upstream?.close();
    }
    // Streams that are left end with their process, which may say goodbye first: a WebSocket's close frame.
    await this.process.stop(killTimeoutMs);
    await this.#upstream?.close();
  }

  /** Logs that the process has ended by itself, when its last lines have been read. */
  async logCrash(): Promise<void> {
    // Asked at once: the process is gone, and its last lines may take a moment.
    const hasJustKilled = this.#options.kills.hasJustKilled();
    const exit = await this.process.exited;
    const isOutOfMemory = exit.signal === 'SIGKILL' && (await hasJustKilled);
    const { pid } = this.process;
    this.#options.log.error('app-crashed', explainCrash(pid, exit, isOutOfMemory), {
      app: pid,
      code: exit.code,
      signal: exit.signal,
      isOutOfMemory,
      detail: exit.lastLines,
    });
  }

  // Private

  async #onEnded(): Promise<MemberEnding<R>> {
    const during = this.state;
    await this.#upstream?.close();
    const lost = this.#lost.takeAll();
    const hadWork = this.finished > 0 || lost.length > 0;
    if (during !== 'stopping') return { during, hadWork, inFlight: lost };
    for (const request of lost) this.#options.onLost(request);
    return { during, hadWork, inFlight: [] };
  }

  async #checkHealth(rule: ProbeRule, askBefore: AskOther | undefined): Promise<void> {
    for (const probe of probesOf(this.#options.release)) {
      const verdict = await checkProbe(probe, {
        ask: (asked) => this.ask(asked),
        askBefore,
        lastLines: () => this.process.lastLines,
      });
      if (verdict === undefined) continue;
      const { failure, isNew } = verdict;
      if ((rule === 'required' && isNew) || this.process.state === 'exited') throw failure;
      const { message: sentence, hint, detail } = failure;
      const message = isNew ? sentence : `${sentence} So does the release that served until now.`;
      this.#options.log.warn('probe-failed', message, { app: this.process.pid, hint, detail });
    }
  }
}

/** How a process ended, in one sentence. */
export function explainCrash(pid: number, { code, signal }: ExitFacts, isOutOfMemory: boolean): string {
  if (isOutOfMemory) {
    return `application ${pid} was ended by the kernel because the machine, or its memory limit, ran out of memory`;
  }
  if (signal === 'SIGKILL') {
    return `application ${pid} was killed (SIGKILL); when nobody did that by hand, it was probably for want of memory`;
  }
  if (signal !== null) return `application ${pid} died of ${signal}`;
  return `application ${pid} exited by itself with code ${code}`;
}

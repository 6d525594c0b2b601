import { StartError } from '../../contracts/errors.js';
import type { AppState } from '../../contracts/lifecycle.js';
import type { PendingRequest, Probe, Upstream } from '../../contracts/upstream.js';
import type { Log } from '../../log/log.js';
import type { AppProcess } from '../process/app-process.js';
import { judgeProbe } from './health.js';

export interface PoolMemberOptions<R extends PendingRequest> {
  readonly process: AppProcess;
  /** Opens the connections to the process once it listens. */
  readonly connect: () => Upstream<R>;
  readonly generation: number;
  readonly place: number;
  readonly restarts: number;
  readonly startedAtMs: number;
  readonly startedAt: string;
  readonly log: Log;
}

/** One application process with the connections to it. Created and owned by Generation. */
export class PoolMember<R extends PendingRequest> {
  readonly process: AppProcess;
  readonly generation: number;
  /** Which of the pool's places it fills; a replacement takes the same. */
  readonly place: number;
  readonly restarts: number;
  readonly startedAtMs: number;
  readonly startedAt: string;
  readonly #options: PoolMemberOptions<R>;
  #upstream: Upstream<R> | undefined;
  /** A replacement is on its way, or it retires: its end is no crash. */
  isLeaving = false;
  /** Why it is to be replaced, since an attempt at that was made. */
  dueReason: string | undefined;

  constructor(options: PoolMemberOptions<R>) {
    this.#options = options;
    this.process = options.process;
    this.generation = options.generation;
    this.place = options.place;
    this.restarts = options.restarts;
    this.startedAtMs = options.startedAtMs;
    this.startedAt = options.startedAt;
    void this.process.exited.then(() => this.#upstream?.close());
  }

  get state(): AppState {
    return this.process.state;
  }

  /** Requests that it can take now. */
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

  send(request: R): void {
    if (this.#upstream === undefined) throw new Error('the application is not connected');
    this.#upstream.send(request);
  }

  /** Resolves when the process takes requests. Throws StartError; the process is gone then. */
  async start(probe: Probe | undefined, isProbeRequired: boolean, killTimeoutMs: number): Promise<void> {
    try {
      await this.process.ready();
      this.#upstream = this.#options.connect();
      if (probe !== undefined) await this.#checkHealth(probe, isProbeRequired);
    } catch (error) {
      this.isLeaving = true;
      await this.process.stop(killTimeoutMs);
      throw error;
    }
  }

  /** No new request from here on; ends when what is in flight has ended, or at the deadline. */
  async retire(drained: Promise<void>, killTimeoutMs: number): Promise<void> {
    this.isLeaving = true;
    this.process.drain();
    await Promise.race([drained, this.process.exited]);
    if (this.inFlight > this.streams) {
      this.#options.log.warn(
        'drain-timeout',
        `application ${this.process.pid} still had requests at the drain deadline`,
        {
          app: this.process.pid,
          inFlight: this.inFlight,
        },
      );
    }
    // Streams that are left end with their process, which may say goodbye first: a WebSocket's close frame.
    if (this.inFlight > this.streams) void this.#upstream?.close();
    await this.process.stop(killTimeoutMs);
    await this.#upstream?.close();
  }

  // Private

  async #checkHealth(probe: Probe, isRequired: boolean): Promise<void> {
    const upstream = this.#upstream as Upstream<R>;
    const failure = await upstream.probe(probe).then(
      (result) => judgeProbe(result, probe.path, this.process.lastLines),
      (error: Error) =>
        new StartError('probe-failed', `The application did not answer ${probe.path}: ${error.message}.`, {
          detail: this.process.lastLines,
        }),
    );
    if (failure === undefined) return;
    if (isRequired || this.process.state === 'exited') throw failure;
    this.#options.log.warn('probe-failed', failure.message, { app: this.process.pid, hint: failure.hint });
  }
}

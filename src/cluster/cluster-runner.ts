import type { Worker } from 'node:cluster';
import type { Readable } from 'node:stream';
import { RestartPolicy } from '../app/restart-policy.js';
import type { Clock } from '../clock.js';
import { describeError, EasyserveError, ExitCode } from '../errors.js';
import type { ListeningSocket } from '../front/listening-socket.js';
import type { Log } from '../log/log.js';
import { distribute } from '../project/process-plan.js';
import { type InstanceRelease, type Runner, releaseFor } from '../runner.js';
import type { Settings } from '../settings/settings.js';
import type { SiteControl } from '../site-control.js';
import type { SiteStatus } from '../status.js';
import type { WelcomeMessage } from './messages.js';
import type { WorkerGroup } from './worker-group.js';
import { WorkerHandle } from './worker-handle.js';

export interface ClusterRunnerOptions {
  readonly welcome: WelcomeMessage;
  readonly clock: Clock;
  readonly log: Log;
  readonly group: Pick<WorkerGroup, 'start' | 'add'>;
  /** What a worker writes, on its way to our own output. */
  readonly takeOutput: (source: Readable, stream: 'stdout' | 'stderr') => void;
  /** A worker is gone: its sockets and spooled bodies can be removed. */
  readonly onWorkerGone: (pid: number) => Promise<void>;
}

/** A worker's place: which share of the processes it has. */
interface Place {
  readonly index: number;
  readonly handle: WorkerHandle;
}

/**
 * Cluster mode: the primary serves no request; each throng worker holds a site. Its sibling is single/SingleRunner.
 *
 * A reload is prepared in all workers, then committed in all, or discarded in all. A worker that dies is forked again
 * with the current release; the listening socket is ours, so that nobody is refused meanwhile.
 */
export class ClusterRunner implements Runner {
  readonly #options: ClusterRunnerOptions;
  readonly #places = new Map<number, Place>();
  /** Places whose worker is being forked, in the order of the forks. */
  readonly #forking: number[] = [];
  readonly #onForked = new Map<number, (handle: WorkerHandle) => void>();
  #policy: RestartPolicy | undefined;
  #current: InstanceRelease | undefined;
  #next: InstanceRelease | undefined;
  #socket: ListeningSocket | undefined;
  /** Fixed until easyserve restart. */
  #fronts = 1;
  #isStopping = false;

  constructor(options: ClusterRunnerOptions) {
    this.#options = options;
  }

  async start(release: InstanceRelease, socket: ListeningSocket): Promise<void> {
    const { fronts } = release.plan;
    this.#fronts = fronts;
    this.#policy = new RestartPolicy(release.settings, this.#options.clock);
    this.#socket = socket;
    const handles = Array.from({ length: fronts }, (_, index) => this.#expectFork(index));
    await this.#options.group.start(fronts, (worker) => this.#onWorker(worker));
    await Promise.all(handles);
    try {
      await this.#prepareAll(release, 'reported');
      this.#current = release;
      await this.#each((site) => site.commit());
      await this.#each((site) => site.listen(socket.handle));
    } catch (error) {
      await this.stop(0);
      throw error;
    }
  }

  async prepare(release: InstanceRelease): Promise<void> {
    const processes = Math.max(release.plan.processes, this.#fronts);
    this.#next = { ...release, plan: { ...release.plan, processes } };
    try {
      await this.#prepareAll(this.#next, 'required');
    } catch (error) {
      await this.discard();
      throw error;
    }
  }

  /** From here on the new release is the one that a worker which dies comes back with. */
  async commit(): Promise<void> {
    this.#current = this.#next;
    this.#next = undefined;
    await this.#eachAlive((site) => site.commit());
  }

  async discard(): Promise<void> {
    this.#next = undefined;
    await this.#eachAlive((site) => site.discard());
  }

  async drained(): Promise<void> {
    await this.#eachAlive((site) => site.drained());
  }

  async configure(settings: Settings): Promise<void> {
    if (this.#current !== undefined) this.#current = { ...this.#current, settings };
    this.#policy?.configure(settings);
    await this.#eachAlive((site) => site.configure(settings));
  }

  async listen(socket: ListeningSocket): Promise<void> {
    this.#socket = socket;
    await this.#each((site) => site.listen(socket.handle));
  }

  async scale(processes: number): Promise<void> {
    const current = this.#current;
    if (current === undefined) return;
    if (processes < this.#fronts) {
      throw new EasyserveError(
        'too-few-processes',
        ExitCode.usage,
        `Each of the ${this.#fronts} fronts needs a process.`,
        {
          hint: `easyserve scale ${this.#fronts}, or fewer fronts: easyserve start --fronts 1`,
        },
      );
    }
    const before = current.plan.processes;
    this.#current = { ...current, plan: { ...current.plan, processes } };
    const results = await Promise.allSettled(
      [...this.#places.values()].map(({ index, handle }) =>
        handle.scale(this.#shareOf(index, processes), processes),
      ),
    );
    const failed = results.find((result) => result.status === 'rejected');
    if (failed === undefined) return;
    this.#current = { ...current, plan: { ...current.plan, processes: before } };
    await this.#eachAlive((site, index) => site.scale(this.#shareOf(index, before), before));
    throw failed.reason;
  }

  status(): Promise<SiteStatus[]> {
    return Promise.all([...this.#places.values()].map(({ handle }) => handle.status()));
  }

  async stop(drainTimeoutMs: number): Promise<void> {
    this.#isStopping = true;
    await this.#each((site) => site.stop(drainTimeoutMs));
  }

  kill(): void {
    this.#isStopping = true;
    for (const { handle } of this.#places.values()) handle.kill();
  }

  // Private

  #shareOf(index: number, processes: number): number {
    return distribute(processes, this.#fronts)[index] ?? 0;
  }

  async #prepareAll(release: InstanceRelease, rule: 'required' | 'reported'): Promise<void> {
    const { processes } = release.plan;
    const results = await Promise.allSettled(
      [...this.#places.values()].map(({ index, handle }) =>
        handle.prepare(releaseFor(release, this.#shareOf(index, processes)), rule),
      ),
    );
    const failed = results.find((result) => result.status === 'rejected');
    if (failed !== undefined) throw failed.reason;
  }

  async #each(act: (site: SiteControl, index: number) => Promise<unknown>): Promise<void> {
    await Promise.all([...this.#places.values()].map(({ index, handle }) => act(handle, index)));
  }

  /** A worker that dies meanwhile comes back in the right state by itself: #revive starts it with the current release. */
  async #eachAlive(act: (site: SiteControl, index: number) => Promise<unknown>): Promise<void> {
    await Promise.all(
      [...this.#places.values()].map(({ index, handle }) =>
        Promise.race([act(handle, index), handle.exited]),
      ),
    );
  }

  #expectFork(index: number): Promise<WorkerHandle> {
    this.#forking.push(index);
    return new Promise((resolve) => this.#onForked.set(index, resolve));
  }

  #onWorker(worker: Worker): void {
    const index = this.#forking.shift();
    if (index === undefined) throw new Error('a worker that nobody asked for');
    for (const stream of ['stdout', 'stderr'] as const) {
      const source = worker.process[stream];
      if (source) this.#options.takeOutput(source, stream);
    }
    const handle = new WorkerHandle(worker, this.#options.welcome, this.#options.clock);
    this.#places.set(index, { index, handle });
    void handle.exited.then((how) => this.#onExit(index, handle, how));
    this.#onForked.get(index)?.(handle);
    this.#onForked.delete(index);
  }

  async #onExit(index: number, handle: WorkerHandle, how: string): Promise<void> {
    this.#places.delete(index);
    await this.#options.onWorkerGone(handle.pid);
    if (this.#isStopping || this.#current === undefined) return;
    this.#options.log.error('worker-crashed', `worker ${handle.pid} ${how}; its place is filled again`, {
      worker: handle.pid,
      how,
    });
    this.#reviveLater(index);
  }

  #reviveLater(index: number): void {
    const delayMs = this.#policy?.recordCrash() ?? 0;
    this.#options.clock.after(delayMs, () => {
      if (!this.#isStopping) void this.#revive(index);
    });
  }

  async #revive(index: number): Promise<void> {
    const { log } = this.#options;
    const forked = this.#expectFork(index);
    this.#options.group.add();
    const handle = await forked;
    try {
      const current = this.#current;
      const socket = this.#socket;
      if (current === undefined || socket === undefined) return;
      await handle.prepare(releaseFor(current, this.#shareOf(index, current.plan.processes)), 'skipped');
      await handle.commit();
      await handle.listen(socket.handle);
      log.info('worker-ready', `worker ${handle.pid} serves`, { worker: handle.pid });
      if (this.#current !== current) await this.#catchUp(index, handle);
    } catch (error) {
      log.error('worker-start-failed', `worker ${handle.pid} could not serve`, { ...describeError(error) });
      handle.kill(); // its exit tries again
    }
  }

  /** A reload was committed while this worker came up. */
  async #catchUp(index: number, handle: WorkerHandle): Promise<void> {
    const current = this.#current as InstanceRelease;
    await handle.prepare(releaseFor(current, this.#shareOf(index, current.plan.processes)), 'skipped');
    await handle.commit();
  }
}

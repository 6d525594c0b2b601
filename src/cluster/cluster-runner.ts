import type { Worker } from 'node:cluster';
import type { Readable } from 'node:stream';
import type { Release } from '../app/pool/release.js';
import { RestartPolicy } from '../app/pool/restart-policy.js';
import type { Clock } from '../contracts/clock.js';
import { EasyserveError, ExitCode, StartError } from '../contracts/errors.js';
import type { Scheme } from '../contracts/scheme.js';
import { startDespiteSignals } from '../contracts/start-despite-signals.js';
import type { SiteStatus } from '../contracts/status.js';
import type { TlsMaterial } from '../contracts/tls-material.js';
import { TokenBuckets } from '../front/limits/token-buckets.js';
import type { Log } from '../log/log.js';
import type { Settings } from '../settings/settings.js';
import type { Runner } from '../site/runner.js';
import type { ListeningSocket } from '../sockets/listening-socket.js';
import type { WelcomeMessage } from './messages.js';
import type { WorkerGroup } from './worker-group.js';
import { WorkerHandle } from './worker-handle.js';
import { type ClusterTarget, WorkerSlot } from './worker-slot.js';

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

/** A worker that is being forked. */
interface Fork {
  readonly index: number;
  readonly onForked: (slot: WorkerSlot) => void;
}

/**
 * Cluster mode: the primary serves no request; each throng worker holds a site. Its sibling is single/single-runner.
 *
 * A reload is prepared in all workers, then committed in all, or discarded in all. A worker that dies is forked again
 * with the current release. The primary keeps the listening sockets open, so that no client is refused meanwhile.
 */
export class ClusterRunner implements Runner {
  readonly #options: ClusterRunnerOptions;
  /** Rate limits hold for all fronts together, so they are counted here. */
  readonly #buckets: TokenBuckets;
  readonly #slots = new Map<number, WorkerSlot>();
  /** In the order of the forks. */
  readonly #forks: Fork[] = [];
  /** The first workers are all there. */
  #forked: Promise<unknown> = Promise.resolve();
  #policy: RestartPolicy | undefined;
  readonly #target: ClusterTarget = { release: undefined, tls: undefined, sockets: new Map() };
  #next: Release | undefined;
  /** Fixed until easyserve restart. */
  #fronts = 1;
  #isStopping = false;

  constructor(options: ClusterRunnerOptions) {
    this.#options = options;
    this.#buckets = new TokenBuckets(options.clock);
  }

  async start(release: Release): Promise<void> {
    const { fronts } = release.plan;
    this.#fronts = fronts;
    this.#policy = new RestartPolicy(release.settings, this.#options.clock);
    const forked = Promise.all(Array.from({ length: fronts }, (_, index) => this.#expectFork(index)));
    this.#forked = forked;
    await this.#options.group
      .start(fronts, (worker) => this.#onWorker(worker))
      .catch((error: unknown) => {
        this.#forked = Promise.resolve(); // there is nothing to wait for
        throw error;
      });
    const first = await forked;
    try {
      await allOf(first.map((slot) => this.#prepareFirst(slot, release)));
      const slots = [...this.#slots.values()];
      this.#target.release = release;
      await Promise.all(slots.map((slot) => slot.commit(release)));
      for (const slot of slots) slot.serve();
    } catch (error) {
      await this.stop(0);
      throw error;
    }
  }

  async prepare(release: Release): Promise<void> {
    const { plan } = release;
    const processes = plan.processes === 0 ? 0 : Math.max(plan.processes, this.#fronts);
    const next = { ...release, plan: { ...plan, processes } };
    this.#next = next;
    try {
      const serving = this.#serving;
      if (serving.length === 0) throw new StartError('worker-exited', 'No worker serves at the moment.');
      await allOf(serving.map((slot) => slot.prepare(next, 'required')));
    } catch (error) {
      await this.discard();
      throw error;
    }
  }

  /** From here on a worker that dies comes back with the new release. */
  async commit(): Promise<void> {
    const next = this.#next;
    if (next === undefined) throw new Error('nothing is prepared');
    this.#target.release = next;
    this.#next = undefined;
    await this.#each((slot) => slot.commit(next));
  }

  async discard(): Promise<void> {
    this.#next = undefined;
    await this.#each((slot) => slot.discard());
  }

  async drained(): Promise<void> {
    await this.#each(({ handle }) => handle.drained());
  }

  async configure(settings: Settings): Promise<void> {
    const { release } = this.#target;
    if (release !== undefined) this.#target.release = { ...release, settings };
    this.#policy?.configure(settings);
    await this.#each(({ handle }) => handle.configure(settings));
  }

  async listen(socket: ListeningSocket): Promise<void> {
    this.#target.sockets.set(socket.scheme, socket);
    await this.#each(({ handle }) => handle.listen(socket.scheme, socket.handle));
  }

  async unlisten(scheme: Scheme): Promise<void> {
    this.#target.sockets.delete(scheme);
    await this.#each(({ handle }) => handle.unlisten(scheme));
  }

  async useTls(material: TlsMaterial): Promise<void> {
    this.#target.tls = material;
    await this.#each(({ handle }) => handle.useTls(material));
  }

  async scale(processes: number): Promise<void> {
    const current = this.#target.release;
    if (current === undefined) return;
    if (processes < this.#fronts) throw tooFewProcesses(this.#fronts);
    const { plan } = current;
    this.#target.release = { ...current, plan: { ...plan, processes } };
    const results = await Promise.allSettled(this.#serving.map((slot) => slot.scale(processes)));
    const failed = results.find((result) => result.status === 'rejected');
    if (failed === undefined) return;
    this.#target.release = { ...current, plan };
    await this.#each((slot) => slot.scale(plan.processes));
    throw failed.reason;
  }

  /** Of the workers that live. */
  async status(): Promise<SiteStatus[]> {
    const all = [...this.#slots.values()].sort((one, other) => one.index - other.index);
    const results = await Promise.allSettled(all.map(({ handle }) => handle.status()));
    return results.filter((result) => result.status === 'fulfilled').map(({ value }) => value);
  }

  async stop(drainTimeoutMs: number): Promise<void> {
    this.#isStopping = true;
    // Each worker has its own copy, and closes it when it drains. With ours open, clients would connect, and wait for nobody.
    for (const socket of this.#target.sockets.values()) socket.close();
    await this.#forked;
    await Promise.all([...this.#slots.values()].map(({ handle }) => handle.stop(drainTimeoutMs)));
  }

  async kill(): Promise<void> {
    this.#isStopping = true;
    await this.#forked;
    await Promise.all([...this.#slots.values()].map(({ handle }) => handle.kill()));
  }

  // Private

  get #serving(): WorkerSlot[] {
    return [...this.#slots.values()].filter(({ isServing }) => isServing);
  }

  /** A worker that dies meanwhile comes back in the right state by itself: it catches up with the target. */
  async #each(act: (slot: WorkerSlot) => Promise<unknown>): Promise<void> {
    await Promise.all(
      this.#serving.map((slot) =>
        act(slot).catch((error: unknown) => {
          if (!slot.handle.isGone) throw error;
        }),
      ),
    );
  }

  async #prepareFirst(slot: WorkerSlot, release: Release): Promise<void> {
    let forked: Promise<WorkerSlot> | undefined = Promise.resolve(slot);
    const prepare = async (): Promise<void> => {
      if (this.#isStopping) throw new StartError('start-stopped', 'The start was broken off.');
      const present = await (forked ?? this.#fork(slot.index));
      forked = undefined;
      await present.prepare(release, 'reported');
    };
    await startDespiteSignals(prepare, this.#options);
  }

  #fork(index: number): Promise<WorkerSlot> {
    const forked = this.#expectFork(index);
    this.#options.group.add();
    return forked;
  }

  #expectFork(index: number): Promise<WorkerSlot> {
    return new Promise((resolve) => this.#forks.push({ index, onForked: resolve }));
  }

  #onWorker(worker: Worker): void {
    const fork = this.#forks.shift();
    if (fork === undefined) throw new Error('a worker that nobody asked for');
    for (const stream of ['stdout', 'stderr'] as const) {
      const source = worker.process[stream];
      if (source) this.#options.takeOutput(source, stream);
    }
    const handle = new WorkerHandle(worker, { ...this.#options, buckets: this.#buckets });
    const slot = new WorkerSlot(fork.index, this.#fronts, handle);
    this.#slots.set(fork.index, slot);
    void handle.exited.then((how) => this.#onExit(slot, how));
    fork.onForked(slot);
  }

  async #onExit({ index, handle }: WorkerSlot, how: string): Promise<void> {
    const { log, onWorkerGone } = this.#options;
    this.#slots.delete(index);
    await onWorkerGone(handle.pid).catch((error: unknown) => {
      log.warn('leftovers-not-removed', 'what a worker left behind could not be removed', {
        worker: handle.pid,
        error: String(error),
      });
    });
    if (this.#isStopping || this.#target.release === undefined) return;
    log.error('worker-crashed', `worker ${handle.pid} ${how}; its place is filled again`, {
      worker: handle.pid,
      how,
    });
    const delayMs = this.#policy?.recordCrash() ?? 0;
    this.#options.clock.after(delayMs, () => void this.#refill(index));
  }

  async #refill(index: number): Promise<void> {
    if (this.#isStopping) return;
    const { log } = this.#options;
    const slot = await this.#fork(index);
    const { pid } = slot.handle;
    try {
      if (this.#isStopping) throw new StartError('start-stopped', 'The start was broken off.');
      await slot.catchUp(this.#target);
      log.info('worker-ready', `worker ${pid} serves`, { worker: pid });
    } catch (error) {
      void slot.handle.kill(); // its exit tries again
      if (this.#isStopping) return;
      log.error('worker-start-failed', `worker ${pid} could not serve`, { worker: pid, error });
    }
  }
}

// Private

/** Throws what the first that fails throws, when all have ended. */
async function allOf(prepared: readonly Promise<void>[]): Promise<void> {
  const results = await Promise.allSettled(prepared);
  const failed = results.find((result) => result.status === 'rejected');
  if (failed !== undefined) throw failed.reason;
}

function tooFewProcesses(fronts: number): EasyserveError {
  return new EasyserveError(
    'too-few-processes',
    ExitCode.usage,
    `Each of the ${fronts} fronts needs a process.`,
    { hint: `easyserve scale ${fronts}, or fewer fronts: easyserve start --fronts 1` },
  );
}

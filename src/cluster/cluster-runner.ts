import type { Worker } from 'node:cluster';
import type { Readable } from 'node:stream';
import type { ProbeRule } from '../app/pool/generation.js';
import type { Release } from '../app/pool/release.js';
import { RestartPolicy } from '../app/pool/restart-policy.js';
import type { Clock } from '../contracts/clock.js';
import { EasyserveError, ExitCode, StartError } from '../contracts/errors.js';
import type { Scheme } from '../contracts/scheme.js';
import type { SiteStatus } from '../contracts/status.js';
import type { TlsMaterial } from '../contracts/tls-material.js';
import type { Log } from '../log/log.js';
import { distribute } from '../project/process-plan.js';
import type { Settings } from '../settings/settings.js';
import type { Runner } from '../site/runner.js';
import type { ListeningSocket } from '../sockets/listening-socket.js';
import { ListenedSockets } from './listened-sockets.js';
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

/** A worker's place: which share of the processes it has, and how far its worker is. */
interface Place {
  readonly index: number;
  readonly handle: WorkerHandle;
  /** It serves the current release: what is asked of the runner is asked of it. One that comes up catches up by itself. */
  isServing: boolean;
  /** What it has prepared, and not committed yet. */
  prepared: Release | undefined;
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
  readonly #onForked = new Map<number, (place: Place) => void>();
  /** The first workers are all there. */
  #forked: Promise<unknown> = Promise.resolve();
  #policy: RestartPolicy | undefined;
  #current: Release | undefined;
  #next: Release | undefined;
  readonly #sockets = new Map<Scheme, ListeningSocket>();
  #tls: TlsMaterial | undefined;
  /** Fixed until easyserve restart. */
  #fronts = 1;
  #isStopping = false;

  constructor(options: ClusterRunnerOptions) {
    this.#options = options;
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
    const places = await forked;
    try {
      if (this.#isStopping) throw new StartError('start-stopped', 'The start was broken off.');
      await this.#prepareIn(places, release, 'reported');
      this.#current = release;
      await Promise.all(places.map(({ handle }) => handle.commit()));
    } catch (error) {
      await this.stop(0);
      throw error;
    }
    for (const place of places) place.isServing = true;
  }

  async prepare(release: Release): Promise<void> {
    const { plan } = release;
    const processes = plan.processes === 0 ? 0 : Math.max(plan.processes, this.#fronts);
    const next = { ...release, plan: { ...plan, processes } };
    this.#next = next;
    try {
      const serving = this.#serving;
      if (serving.length === 0) throw new StartError('worker-exited', 'No worker serves at the moment.');
      await this.#prepareIn(serving, next, 'required');
    } catch (error) {
      await this.discard();
      throw error;
    }
  }

  /** From here on the new release is the one that a worker which dies comes back with. */
  async commit(): Promise<void> {
    const next = this.#next;
    if (next === undefined) throw new Error('nothing is prepared');
    this.#current = next;
    this.#next = undefined;
    await this.#each(async (place) => {
      // One that came up in the meantime brought the old release, and has prepared nothing.
      if (place.prepared !== next) await this.#prepareIn([place], next, 'skipped');
      place.prepared = undefined;
      await place.handle.commit();
    });
  }

  async discard(): Promise<void> {
    this.#next = undefined;
    await this.#each(async (place) => {
      place.prepared = undefined;
      await place.handle.discard();
    });
  }

  async drained(): Promise<void> {
    await this.#each(({ handle }) => handle.drained());
  }

  async configure(settings: Settings): Promise<void> {
    if (this.#current !== undefined) this.#current = { ...this.#current, settings };
    this.#policy?.configure(settings);
    await this.#each(({ handle }) => handle.configure(settings));
  }

  async listen(socket: ListeningSocket): Promise<void> {
    this.#sockets.set(socket.scheme, socket);
    await this.#each(({ handle }) => handle.listen(socket.scheme, socket.handle));
  }

  async unlisten(scheme: Scheme): Promise<void> {
    this.#sockets.delete(scheme);
    await this.#each(({ handle }) => handle.unlisten(scheme));
  }

  async useTls(material: TlsMaterial): Promise<void> {
    this.#tls = material;
    await this.#each(({ handle }) => handle.useTls(material));
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
      this.#serving.map(({ index, handle }) => handle.scale(this.#shareOf(index, processes), processes)),
    );
    const failed = results.find((result) => result.status === 'rejected');
    if (failed === undefined) return;
    this.#current = { ...current, plan: { ...current.plan, processes: before } };
    await this.#each(({ index, handle }) => handle.scale(this.#shareOf(index, before), before));
    throw failed.reason;
  }

  /** Of the workers that live. */
  async status(): Promise<SiteStatus[]> {
    const all = [...this.#places.values()].sort((one, other) => one.index - other.index);
    const results = await Promise.allSettled(all.map(({ handle }) => handle.status()));
    return results.filter((result) => result.status === 'fulfilled').map(({ value }) => value);
  }

  async stop(drainTimeoutMs: number): Promise<void> {
    this.#isStopping = true;
    // The workers have their own: without ours, clients are refused when they have closed it, and wait for nobody.
    for (const socket of this.#sockets.values()) socket.close();
    await this.#forked;
    await Promise.all([...this.#places.values()].map(({ handle }) => handle.stop(drainTimeoutMs)));
  }

  async kill(): Promise<void> {
    this.#isStopping = true;
    await this.#forked;
    await Promise.all([...this.#places.values()].map(({ handle }) => handle.kill()));
  }

  // Private

  get #serving(): Place[] {
    return [...this.#places.values()].filter(({ isServing }) => isServing);
  }

  #shareOf(index: number, processes: number): number {
    return distribute(processes, this.#fronts)[index] ?? 0;
  }

  /** Throws what the first that fails throws, when all have ended. */
  async #prepareIn(places: readonly Place[], release: Release, rule: ProbeRule): Promise<void> {
    const { processes } = release.plan;
    const results = await Promise.allSettled(
      places.map(async (place) => {
        await place.handle.prepare(release, rule, this.#shareOf(place.index, processes));
        place.prepared = release;
      }),
    );
    const failed = results.find((result) => result.status === 'rejected');
    if (failed !== undefined) throw failed.reason;
  }

  /** A worker that dies meanwhile comes back in the right state by itself: #bringUp starts it with the current release. */
  async #each(act: (place: Place) => Promise<unknown>): Promise<void> {
    await Promise.all(
      this.#serving.map((place) =>
        act(place).catch((error: unknown) => {
          if (!place.handle.isGone) throw error;
        }),
      ),
    );
  }

  #expectFork(index: number): Promise<Place> {
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
    const place: Place = { index, handle, isServing: false, prepared: undefined };
    this.#places.set(index, place);
    void handle.exited.then((how) => this.#onExit(place, how));
    this.#onForked.get(index)?.(place);
    this.#onForked.delete(index);
  }

  async #onExit({ index, handle }: Place, how: string): Promise<void> {
    const { log, onWorkerGone } = this.#options;
    this.#places.delete(index);
    await onWorkerGone(handle.pid).catch((error: unknown) => {
      log.warn('leftovers-not-removed', 'what a worker left behind could not be removed', {
        worker: handle.pid,
        error: String(error),
      });
    });
    if (this.#isStopping || this.#current === undefined) return;
    log.error('worker-crashed', `worker ${handle.pid} ${how}; its place is filled again`, {
      worker: handle.pid,
      how,
    });
    const delayMs = this.#policy?.recordCrash() ?? 0;
    this.#options.clock.after(delayMs, () => void this.#refill(index));
  }

  async #refill(index: number): Promise<void> {
    if (this.#isStopping) return;
    const { log, group } = this.#options;
    const forked = this.#expectFork(index);
    group.add();
    const place = await forked;
    const { pid } = place.handle;
    try {
      if (this.#isStopping) throw new StartError('start-stopped', 'The start was broken off.');
      await this.#bringUp(place);
      log.info('worker-ready', `worker ${pid} serves`, { worker: pid });
    } catch (error) {
      void place.handle.kill(); // its exit tries again
      if (this.#isStopping) return;
      log.error('worker-start-failed', `worker ${pid} could not serve`, { worker: pid, error });
    }
  }

  /** Until it serves what the others serve by then: a reload may be committed meanwhile. */
  async #bringUp(place: Place): Promise<void> {
    const { handle } = place;
    let release: Release | undefined;
    let tls: TlsMaterial | undefined;
    const sockets = new ListenedSockets(handle);
    while (release !== this.#current || tls !== this.#tls || !sockets.areLike(this.#sockets)) {
      if (release !== this.#current && this.#current !== undefined) {
        release = this.#current;
        await this.#prepareIn([place], release, 'skipped');
        place.prepared = undefined;
        await handle.commit();
      }
      if (tls !== this.#tls && this.#tls !== undefined) {
        tls = this.#tls;
        await handle.useTls(tls);
      }
      await sockets.follow(this.#sockets);
    }
    place.isServing = true;
  }
}

import type { ProbeRule } from '../app/pool/health.js';
import type { Release } from '../app/pool/release.js';
import type { Scheme } from '../contracts/scheme.js';
import type { TlsMaterial } from '../contracts/tls-material.js';
import { distribute } from '../project/process-plan.js';
import type { ListeningSocket } from '../sockets/listening-socket.js';
import type { WorkerHandle } from './worker-handle.js';

/** What all workers are to serve. */
export interface ClusterTarget {
  release: Release | undefined;
  tls: TlsMaterial | undefined;
  /** The same map for as long as the cluster lives. */
  readonly sockets: Map<Scheme, ListeningSocket>;
}

/** One worker: which share of the processes it has, and what it has been given so far. A worker that dies gets a new slot. */
export class WorkerSlot {
  readonly index: number;
  readonly handle: WorkerHandle;
  /** Of all slots. */
  readonly #fronts: number;
  #isServing = false;
  #prepared: Release | undefined;

  constructor(index: number, fronts: number, handle: WorkerHandle) {
    this.index = index;
    this.handle = handle;
    this.#fronts = fronts;
  }

  /** It serves what the cluster serves: what is asked of the cluster is asked of it. One that comes up catches up by itself. */
  get isServing(): boolean {
    return this.#isServing;
  }

  shareOf(processes: number): number {
    return distribute(processes, this.#fronts)[this.index] ?? 0;
  }

  /** Throws StartError; nothing has changed then. */
  async prepare(release: Release, rule: ProbeRule): Promise<void> {
    await this.handle.prepare(release, rule, this.shareOf(release.plan.processes));
    this.#prepared = release;
  }

  async commit(release: Release): Promise<void> {
    // One that came up in the meantime brought the old release, and has prepared nothing.
    if (this.#prepared !== release) await this.prepare(release, 'skipped');
    this.#prepared = undefined;
    await this.handle.commit();
  }

  async discard(): Promise<void> {
    this.#prepared = undefined;
    await this.handle.discard();
  }

  /** The share of so many processes. */
  scale(processes: number): Promise<void> {
    return this.handle.scale(this.shareOf(processes), processes);
  }

  /** From here on it gets what all others get. */
  serve(): void {
    this.#isServing = true;
  }

  /** Brings a worker to serve what the others serve by then: the target may change meanwhile. */
  async catchUp(target: Readonly<ClusterTarget>): Promise<void> {
    let release: Release | undefined;
    let tls: TlsMaterial | undefined;
    const sockets = new Map<Scheme, ListeningSocket>();
    while (release !== target.release || tls !== target.tls || !areSame(sockets, target.sockets)) {
      if (release !== target.release && target.release !== undefined) {
        release = target.release;
        await this.commit(release);
      }
      if (tls !== target.tls && target.tls !== undefined) {
        tls = target.tls;
        await this.handle.useTls(tls);
      }
      await this.#follow(sockets, target.sockets);
    }
    this.serve();
  }

  // Private

  /** `sockets`: what it listens on, which becomes like `wanted`; that may have changed again by then. */
  async #follow(
    sockets: Map<Scheme, ListeningSocket>,
    wanted: ReadonlyMap<Scheme, ListeningSocket>,
  ): Promise<void> {
    for (const [scheme, socket] of [...wanted]) {
      if (sockets.get(scheme) === socket) continue;
      sockets.set(scheme, socket);
      await this.handle.listen(scheme, socket.handle);
    }
    for (const scheme of [...sockets.keys()]) {
      if (wanted.has(scheme)) continue;
      sockets.delete(scheme);
      await this.handle.unlisten(scheme);
    }
  }
}

// Private

function areSame<K, V>(one: ReadonlyMap<K, V>, other: ReadonlyMap<K, V>): boolean {
  return one.size === other.size && [...one].every(([key, value]) => other.get(key) === value);
}

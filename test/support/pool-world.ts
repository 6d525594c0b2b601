import assert from 'node:assert/strict';
import type { TestContext } from 'node:test';
import { AppPool } from '../../src/app/pool/app-pool.js';
import type { ProbeRule } from '../../src/app/pool/health.js';
import type { Release } from '../../src/app/pool/release.js';
import type { ProbeResult, RequestFailure } from '../../src/contracts/upstream.js';
import type { Settings } from '../../src/settings/settings.js';
import { type FakeChild, FakeChildren } from './fake-child.js';
import { FakeClock } from './fake-clock.js';
import { FakeRequest } from './fake-request.js';
import { FakeUpstream } from './fake-upstream.js';
import { makeFileTree } from './file-tree.js';
import { makeRelease } from './make-release.js';
import { RecordingLog } from './recording-log.js';

export interface PoolShape {
  readonly processes?: number;
  readonly threads?: number;
  readonly settings?: Partial<Settings>;
}

/** A pool with virtual time, fake processes and fake connections. Made by makePoolWorld. */
export class PoolWorld {
  readonly clock = new FakeClock();
  readonly log = new RecordingLog();
  readonly children = new FakeChildren();
  /** In the order in which the processes became ready. */
  readonly upstreams: FakeUpstream[] = [];
  /** On which each process listens. */
  ports: readonly number[] = [];
  readonly pool: AppPool<FakeRequest>;
  probeResult: () => Promise<ProbeResult> = async () => ({ status: 200, bodyHead: '' });
  #generation = 0;
  #requests = 0;

  constructor(runFolder: string) {
    this.pool = new AppPool<FakeRequest>({
      serverFor: () => ({
        name: 'fake',
        plan: ({ generation }, socketPath) => ({
          command: 'python',
          args: [socketPath, String(generation)],
          cwd: '/',
          env: {},
          readiness: 'control',
          addresses: [{ protocol: 'gateway', place: { path: socketPath } }],
        }),
        concurrency: ({ plan }) => plan.threads,
      }),
      spawn: this.children.spawn,
      kill: this.children.kill,
      reach: () => assert.fail('the process says by itself that it is ready'),
      connect: ({ place }, threads, observer, isMultiprocess) => {
        const path = 'path' in place ? place.path : '';
        const now = (): number => this.clock.now();
        const upstream = new FakeUpstream({
          ...{ path, threads, observer, isMultiprocess, now },
          probeResult: () => this.probeResult(),
        });
        this.upstreams.push(upstream);
        return upstream;
      },
      runFolder,
      readPorts: async () => this.ports,
      clock: this.clock,
      log: this.log,
    });
  }

  release({ processes = 1, threads = 2, settings = {} }: PoolShape = {}): Release {
    this.#generation += 1;
    return makeRelease({ generation: this.#generation, settings, plan: { processes, threads } });
  }

  /** Prepares a release and puts it into service. */
  async serve(shape: PoolShape = {}, rule: ProbeRule = 'reported'): Promise<void> {
    await this.pool.prepare(this.release(shape), rule);
    this.pool.commit();
  }

  /** Sends requests; the names say which. */
  dispatch(count = 1, method = 'GET', path?: string): FakeRequest[] {
    return Array.from({ length: count }, () => {
      this.#requests += 1;
      const request = new FakeRequest(`r${this.#requests}`, method, path);
      this.pool.dispatch(request);
      return request;
    });
  }

  upstream(index: number): FakeUpstream {
    const upstream = this.upstreams[index];
    assert.ok(upstream, `only ${this.upstreams.length} processes have been connected to`);
    return upstream;
  }

  childOf(upstream: FakeUpstream): FakeChild {
    const child = this.children.all.find(({ args }) => args[0] === upstream.path);
    assert.ok(child);
    return child;
  }

  /** A process dies: its connections break, then its end is seen. */
  async crash(upstream: FakeUpstream, signal: NodeJS.Signals = 'SIGSEGV'): Promise<void> {
    const crashes = this.log.all('app-crashed').length;
    upstream.lose();
    this.childOf(upstream).exit(null, signal);
    await this.log.seen('app-crashed', crashes + 1);
  }

  /** So many processes are ready, counted from the start. */
  async untilReady(count: number): Promise<void> {
    await this.log.seen('app-ready', count);
  }
}

export async function makePoolWorld(t: TestContext): Promise<PoolWorld> {
  return new PoolWorld(await makeFileTree(t, {}));
}

export function failures(requests: readonly FakeRequest[]): (RequestFailure | undefined)[] {
  return requests.map(({ failure }) => failure);
}

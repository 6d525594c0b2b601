import { AppPool } from './app/app-pool.js';
import type { Spawn } from './app/app-process.js';
import { GatewayServer } from './app/gateway-server.js';
import type { ProbeRule } from './app/generation.js';
import type { Release } from './app/release.js';
import type { Clock } from './clock.js';
import type { Handler } from './front/exchange.js';
import { Front } from './front/front.js';
import type { SocketHandle } from './front/listening-socket.js';
import type { ServedFolder } from './front/media.js';
import { buildPipeline } from './front/pipeline.js';
import { StaticTable } from './front/static/static-table.js';
import type { AppRequest } from './front/upstream/app-request.js';
import { GatewayClient } from './front/upstream/gateway-client.js';
import { BodySpool } from './front/upstream/request-body.js';
import type { Log } from './log/log.js';
import type { Settings } from './settings/settings.js';
import type { SiteControl } from './site-control.js';
import type { SiteStatus } from './status.js';

export interface SiteOptions {
  readonly spawn: Spawn;
  readonly kill: (pid: number, signal: NodeJS.Signals) => void;
  readonly clock: Clock;
  readonly log: Log;
  /** What the application processes inherit. */
  readonly env: Readonly<Record<string, string | undefined>>;
  /** Folders of the instance: the application sockets, and the request bodies that are too large for memory. */
  readonly runFolder: string;
  readonly spoolFolder: string;
  readonly pid: number;
}

/** What a static table is made with. */
const tableSettings = ['compress', 'compressMinBytes', 'staticMemoryFileBytes'] as const;

/** A release with what the front made of it: the static table and the pipeline. */
interface Prepared {
  readonly release: Release;
  readonly staticTable: StaticTable | undefined;
}

/**
 * One HTTP front with the application processes that it feeds.
 *
 * Single mode has one, inside the supervisor (single/); cluster mode has one in each throng worker (cluster/). Nothing
 * else differs between the modes.
 *
 *   client ── Front ── pipeline ── static | media | application ── AppPool ── GatewayClient ── gateway.py
 *   reload ── prepare ── AppPool.prepare ── Generation        commit ── Front.configure + AppPool.commit
 */
export class Site implements SiteControl {
  readonly pid: number;
  readonly #options: SiteOptions;
  readonly #pool: AppPool<AppRequest>;
  readonly #spool: BodySpool;
  #front: Front | undefined;
  #current: Prepared | undefined;
  #next: Prepared | undefined;

  constructor(options: SiteOptions) {
    this.#options = options;
    this.pid = options.pid;
    const { clock, log } = options;
    this.#spool = new BodySpool(options.spoolFolder, log);
    this.#pool = new AppPool<AppRequest>({
      server: new GatewayServer(options.env),
      spawn: options.spawn,
      kill: options.kill,
      runFolder: options.runFolder,
      clock,
      log,
      connect: (address, threads, observer, isMultiprocess) =>
        new GatewayClient({ address, threads, observer, isMultiprocess, log, clock }),
    });
  }

  async prepare(release: Release, rule: ProbeRule): Promise<void> {
    const staticTable = await this.#buildStaticTable(release);
    await this.#pool.prepare(release, rule);
    this.#next = { release, staticTable };
  }

  async commit(): Promise<void> {
    const next = this.#next;
    if (next === undefined) throw new Error('nothing is prepared');
    this.#current = next;
    this.#next = undefined;
    this.#configureFront(next);
    this.#pool.commit();
  }

  async discard(): Promise<void> {
    this.#next = undefined;
    await this.#pool.discard();
  }

  drained(): Promise<void> {
    return this.#pool.drained();
  }

  async configure(settings: Settings): Promise<void> {
    const current = this.#current;
    if (current === undefined) return;
    const release = { ...current.release, settings };
    const isTableChanged = tableSettings.some((key) => current.release.settings[key] !== settings[key]);
    const staticTable = isTableChanged ? await this.#buildStaticTable(release) : current.staticTable;
    this.#current = { release, staticTable };
    this.#pool.configure(settings);
    this.#configureFront(this.#current);
  }

  async listen(handle: SocketHandle): Promise<void> {
    if (this.#front === undefined) throw new Error('a release has to be committed first');
    await this.#front.listen(handle);
  }

  scale(processes: number, totalProcesses: number): Promise<void> {
    return this.#pool.scale(processes, totalProcesses);
  }

  async status(): Promise<SiteStatus> {
    return {
      pid: this.pid,
      queued: this.#pool.queued,
      connections: this.#front?.connections ?? 0,
      apps: await this.#pool.status(),
    };
  }

  async stop(drainTimeoutMs: number): Promise<void> {
    const { clock } = this.#options;
    const deadlineMs = clock.now() + drainTimeoutMs;
    // The front first: an upload on its way in will need a process, a buffered answer on its way out needs none.
    await this.#front?.drain(drainTimeoutMs);
    await this.#pool.stop(Math.max(0, deadlineMs - clock.now()));
    this.#front?.closeConnections();
  }

  kill(): Promise<void> {
    this.#front?.closeConnections();
    return this.#pool.kill();
  }

  // Private

  async #buildStaticTable({ project, settings }: Release): Promise<StaticTable | undefined> {
    const { django } = project;
    if (!settings.serveStatic || django?.staticPrefix === undefined) return undefined;
    const table = await StaticTable.build(
      {
        prefix: django.staticPrefix,
        root: django.staticRoot,
        found: django.staticFound,
        manifest: django.staticManifest,
      },
      {
        memoryFileBytes: settings.staticMemoryFileBytes,
        compress: settings.compress,
        compressMinBytes: settings.compressMinBytes,
      },
    );
    reportStaticTable(table, django.staticRoot, this.#options.log);
    return table;
  }

  #configureFront({ release, staticTable }: Prepared): void {
    const { settings } = release;
    this.#front ??= new Front(settings, this.#options.clock, this.#options.log);
    const handlers: readonly Handler[] = buildPipeline({
      settings,
      staticTable,
      folders: servedFolders(release),
      dispatcher: this.#pool,
      spool: this.#spool,
      log: this.#options.log,
    });
    this.#front.configure(settings, handlers);
  }
}

// Private

function reportStaticTable(table: StaticTable, root: string | undefined, log: Log): void {
  const { skippedLinks, unreadableFolders, isRootMissing } = table;
  if (isRootMissing)
    log.warn('static-root-missing', 'STATIC_ROOT is not there, so no static file is served', { root });
  if (skippedLinks > 0) {
    log.warn('static-links-skipped', 'symbolic links that lead out of STATIC_ROOT are not served', {
      root,
      count: skippedLinks,
    });
  }
  if (unreadableFolders > 0) {
    log.warn('static-unreadable', 'folders below STATIC_ROOT may not be read', {
      root,
      count: unreadableFolders,
    });
  }
}

function servedFolders({ project, settings }: Release): ServedFolder[] {
  const folders: ServedFolder[] = [];
  const { wellKnownRoot, mediaMaxAgeSeconds: maxAgeSeconds } = settings;
  if (wellKnownRoot !== null) {
    folders.push({ prefix: '/.well-known/', root: wellKnownRoot, maxAgeSeconds, userContent: false });
  }
  const { mediaPrefix, mediaRoot } = project.django ?? {};
  if (settings.serveStatic && mediaPrefix !== undefined && mediaRoot !== undefined) {
    folders.push({ prefix: mediaPrefix, root: mediaRoot, maxAgeSeconds, userContent: true });
  }
  return folders;
}

import { connect } from 'node:net';
import { AppPool } from '../app/pool/app-pool.js';
import type { ProbeRule } from '../app/pool/health.js';
import type { Release } from '../app/pool/release.js';
import type { Kill, Spawn } from '../app/process/process-group.js';
import type { ApplicationServer } from '../app/servers/application-server.js';
import { AsgiServer } from '../app/servers/asgi-server.js';
import { CherootServer } from '../app/servers/cheroot-server.js';
import { CommandServer } from '../app/servers/command-server.js';
import { GatewayServer } from '../app/servers/gateway-server.js';
import { NodeServer } from '../app/servers/node-server.js';
import type { Clock } from '../contracts/clock.js';
import { djangoFactsOf, isThreaded, type ServerName } from '../contracts/project-facts.js';
import type { Scheme } from '../contracts/scheme.js';
import type { SiteStatus } from '../contracts/status.js';
import type { TlsMaterial } from '../contracts/tls-material.js';
import type { ApplicationNeeds } from '../front/application.js';
import { BufferBudget, readDiskSpace } from '../front/buffers/buffer-budget.js';
import { bufferLimitsOf } from '../front/buffers/buffer-limits.js';
import { Spool } from '../front/buffers/spool.js';
import type { Handler } from '../front/exchange.js';
import { Front } from '../front/front.js';
import { ClientLoad } from '../front/limits/client-load.js';
import { type RateCounter, TokenBuckets } from '../front/limits/token-buckets.js';
import { buildPipeline } from '../front/pipeline.js';
import type { AppRequest } from '../front/upstream/app-request.js';
import { GatewayClient } from '../front/upstream/gateway-client.js';
import { HttpClient } from '../front/upstream/http-client.js';
import type { Log } from '../log/log.js';
import { affinityOf } from '../project/affinity.js';
import type { Settings } from '../settings/settings.js';
import type { SocketHandle } from '../sockets/socket-handle.js';
import type { SiteControl } from './site-control.js';
import { openSiteFiles, type SiteFiles, servedFolders, siteFilesSettings } from './site-files.js';

export interface SiteOptions {
  readonly spawn: Spawn;
  readonly kill: Kill;
  readonly clock: Clock;
  readonly log: Log;
  /** What the application processes inherit. */
  readonly env: Readonly<Record<string, string | undefined>>;
  /** Folders of the instance: the application sockets, and the request bodies that are too large for memory. */
  readonly runFolder: string;
  readonly spoolFolder: string;
  readonly pid: number;
  /** Of all sites together; undefined where there is only this one. */
  readonly rateCounter?: RateCounter;
}

/** A release with what the front made of it. */
interface ReleaseWithFiles {
  readonly release: Release;
  readonly files: SiteFiles;
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
  readonly #budget: BufferBudget;
  readonly #spool: Spool;
  readonly #clientLoad: ClientLoad;
  readonly #rateCounter: RateCounter;
  readonly #servers: ReturnType<typeof createApplicationServers>;
  #front: Front | undefined;
  #tls: TlsMaterial | undefined;
  /** HTTPS is listened on: until then, and when it was switched off, nobody is sent there. */
  #isSecured = false;
  #current: ReleaseWithFiles | undefined;
  #next: ReleaseWithFiles | undefined;

  constructor(options: SiteOptions) {
    this.#options = options;
    this.pid = options.pid;
    const { clock, log } = options;
    this.#servers = createApplicationServers(options.env, process.platform);
    const { spoolFolder } = options;
    this.#budget = new BufferBudget({ clock, readDiskSpace: () => readDiskSpace(spoolFolder) });
    this.#spool = new Spool(spoolFolder, this.#budget, log);
    this.#clientLoad = new ClientLoad(clock, log);
    this.#rateCounter = options.rateCounter ?? new TokenBuckets(clock);
    this.#pool = new AppPool<AppRequest>({
      serverFor: ({ project }) => this.#serverFor(project.server),
      spawn: options.spawn,
      kill: options.kill,
      reach: (place) => connect(place),
      runFolder: options.runFolder,
      clock,
      log,
      connect: (address, concurrency, observer, isMultiprocess) =>
        address.protocol === 'http'
          ? new HttpClient({ address, concurrency, observer, log, clock })
          : new GatewayClient({ address, threads: concurrency, observer, isMultiprocess, log, clock }),
    });
  }

  async prepare(release: Release, rule: ProbeRule, processes: number): Promise<void> {
    const files = await this.#openFiles(release);
    await this.#pool.prepare(release, rule, processes);
    this.#next = { release, files };
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
    const isChanged = siteFilesSettings.some((key) => current.release.settings[key] !== settings[key]);
    const files = isChanged ? await this.#openFiles(release) : current.files;
    this.#current = { release, files };
    this.#pool.configure(settings);
    this.#configureFront(this.#current);
  }

  async listen(scheme: Scheme, handle: SocketHandle): Promise<void> {
    if (this.#front === undefined) throw new Error('a release has to be committed first');
    await this.#front.listen(scheme, handle);
    if (scheme === 'https') this.#secure(true);
  }

  async unlisten(scheme: Scheme): Promise<void> {
    this.#front?.unlisten(scheme);
    if (scheme === 'https') this.#secure(false);
  }

  async useTls(material: TlsMaterial): Promise<void> {
    this.#tls = material;
    this.#front?.useTls(material);
    if (this.#current !== undefined) this.#configureFront(this.#current);
  }

  scale(processes: number, totalProcesses: number): Promise<void> {
    return this.#pool.scale(processes, totalProcesses);
  }

  async status(): Promise<SiteStatus> {
    return {
      pid: this.pid,
      queued: this.#pool.queued,
      connections: this.#front?.connections ?? 0,
      ...(await this.#pool.status()),
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

  #serverFor(name: ServerName): ApplicationServer {
    const server = this.#servers[name];
    if (server === undefined) throw new Error(`there is no application server ${name}`);
    return server;
  }

  #secure(isSecured: boolean): void {
    this.#isSecured = isSecured;
    if (this.#current !== undefined) this.#configureFront(this.#current);
  }

  #openFiles(release: Release): Promise<SiteFiles> {
    const { clock, log } = this.#options;
    return openSiteFiles(release, clock, log);
  }

  #configureFront({ release, files }: ReleaseWithFiles): void {
    const { settings } = release;
    const { clock, log } = this.#options;
    this.#budget.configure(bufferLimitsOf(settings, release.plan));
    this.#front ??= new Front(settings, clock, log, this.#budget);
    const handlers: readonly Handler[] = buildPipeline({
      needs: needsOf(release),
      tls: this.#isSecured ? this.#tls : undefined,
      names: djangoFactsOf(release.project)?.allowedHosts ?? [],
      settings,
      ...files,
      folders: servedFolders(release),
      clientLoad: this.#clientLoad,
      rateCounter: this.#rateCounter,
      dispatcher: this.#pool,
      spool: this.#spool,
      clock,
      log,
    });
    this.#front.configure(settings, handlers, files.errorPages);
  }
}

// Private

/**
 * Threads wait for what they are sent, so they get whole bodies; asynchronous servers need not. Half of the places are kept from
 * uploads that are passed on as they come.
 */
function needsOf({ project, plan, settings }: Release): ApplicationNeeds {
  const { server } = project;
  const readsBodiesFirst = isThreaded(server);
  return {
    protocol: server === 'gateway' ? 'gateway' : 'http',
    readsBodiesFirst,
    affinity: affinityOf(settings, project),
    decidesFraming: djangoFactsOf(project)?.decidesFraming ?? false,
    // Threads get such uploads only where `streamUploads` says so: the only one too.
    uploadPlaces: readsBodiesFirst
      ? Math.max(1, Math.floor(plan.threads / 2))
      : Math.floor(settings.concurrency / 2),
  };
}

/** Every kind of application server, by the name that the project's facts give. */
function createApplicationServers(
  env: Readonly<Record<string, string | undefined>>,
  platform: NodeJS.Platform,
): Partial<Record<ServerName, ApplicationServer>> {
  return {
    gateway: new GatewayServer(env, platform),
    cheroot: new CherootServer(env),
    uvicorn: new AsgiServer('uvicorn', env),
    granian: new AsgiServer('granian', env),
    hypercorn: new AsgiServer('hypercorn', env),
    daphne: new AsgiServer('daphne', env),
    command: new CommandServer(env, platform),
    node: new NodeServer(env, process.execPath),
  };
}

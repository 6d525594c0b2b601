import type { Release } from '../app/pool/release.js';
import { describeError, EasyserveError, type ErrorRecord, ExitCode } from '../contracts/errors.js';
import { type InstanceState, instanceLifecycle, type Lifecycle } from '../contracts/lifecycle.js';
import { interpreterOf } from '../contracts/project-facts.js';
import type { InstanceStatus } from '../contracts/status.js';
import type { TlsMaterial } from '../contracts/tls-material.js';
import type { ReloadResult, ScaleResult } from '../control/protocol.js';
import type { Log } from '../log/log.js';
import type { Settings } from '../settings/settings.js';
import type { Runner } from '../site/runner.js';
import type { Certificates, PreparedCertificates } from './certificates.js';
import { OperationQueue, type ReloadCause } from './operation-queue.js';
import { type ReloadOptions, reload } from './reload/reload.js';
import { restart } from './reload/restart.js';
import { bindMissing, removeAll, type SiteSockets, urlsOf } from './reload/site-sockets.js';

export type OnStep = (text: string) => void;

export interface LoadRequest {
  /** Number of the release. */
  readonly generation: number;
  readonly signal: AbortSignal;
  readonly onStep: OnStep;
}

export interface InstanceOptions {
  readonly log: Log;
  /** Reads settings and project anew. */
  readonly load: (request: LoadRequest) => Promise<Release>;
  /** Makes the runner of a mode: the one place where the two modes part. */
  readonly createRunner: (release: Release) => Promise<Runner>;
  /** Opens the first listening sockets, while this process may still bind what it likes. Default: bindMissing. */
  readonly open?: (release: Release) => Promise<SiteSockets>;
  readonly certificates: Pick<Certificates, 'prepare' | 'use' | 'keep' | 'status' | 'stop'>;
  /** Called after each change. */
  readonly onState?: (state: InstanceState) => void;
  /** Log level and access log of this process. */
  readonly onSettings: (settings: Settings) => void;
  /** A restart stopped the old release, and the new one does not start: nothing serves any more. */
  readonly onFatal: (error: unknown) => void;
  readonly version: string;
  readonly pid: number;
}

interface RunOptions {
  readonly sockets: SiteSockets;
  readonly certificates: PreparedCertificates | undefined;
  readonly onStep: OnStep;
}

/**
 * The running instance: what it serves, and the operations that change it, one after the other. Signals, the control socket
 * and the settings watch all call these same methods.
 */
export class Instance {
  readonly #options: InstanceOptions;
  readonly #lifecycle: Lifecycle<InstanceState>;
  readonly #startedAt = new Date().toISOString();
  readonly #abort = new AbortController();
  readonly #operations: OperationQueue;
  #runner: Runner | undefined;
  /** What serves now, and where. */
  #release: Release | undefined;
  #sockets: SiteSockets = new Map();
  /** Of the runner: only a restart makes another one. */
  #mode: 'single' | 'cluster' = 'single';
  /** `easyserve scale`: holds over reloads, until the setting `processes` itself changes. */
  #scaledTo: number | undefined;
  #lastReloadError: ErrorRecord | undefined;

  constructor(options: InstanceOptions) {
    this.#options = options;
    this.#lifecycle = instanceLifecycle((to, from) => {
      options.log.debug('state', `${from} -> ${to}`, { from, to });
      options.onState?.(to);
    });
    this.#operations = new OperationQueue(this.#lifecycle);
  }

  get state(): InstanceState {
    return this.#lifecycle.state;
  }

  /** What serves now. Throws before something is loaded. */
  get release(): Release {
    if (this.#release === undefined) throw new Error('nothing is loaded yet');
    return this.#release;
  }

  /** Loads and serves. Throws what made it fail, or broke it off; nothing is left running then. */
  start(onStep: OnStep): Promise<Release> {
    const started = this.#start(onStep);
    this.#operations.begin(started);
    return started;
  }

  /**
   * One that is asked for while another one waits to begin joins that one. Throws what refused it; the old release serves on
   * then.
   */
  reload(cause: ReloadCause, onStep: OnStep): Promise<ReloadResult> {
    return this.#operations.reload(cause, (joined) => this.#reload(joined === 'request', onStep));
  }

  /** Throws what refused it; the old release serves on then, unless it was stopped already (onFatal). */
  restart(onStep: OnStep): Promise<ReloadResult> {
    return this.#operations.run('restarting', () => this.#restart(onStep));
  }

  /** Throws StartError when a process does not start, and EasyserveError; the number is the old one then. */
  scale(processes: number, onStep: OnStep): Promise<ScaleResult> {
    return this.#operations.run('reloading', async () => {
      const { release } = this;
      if (release.project.server === 'none') throw nothingToScale();
      const noun = processes === 1 ? 'process' : 'processes';
      onStep(`changing to ${processes} application ${noun}`);
      await this.#runner?.scale(processes);
      this.#scaledTo = processes;
      this.#release = this.#withScale(release);
      this.#options.log.info('scaled', `scaled to ${processes} application ${noun}`, { processes });
      return { processes, generation: release.generation };
    });
  }

  /** Finishes what is in flight, then ends everything. Breaks off a start or a reload that is under way. */
  async stop(onStep: OnStep): Promise<void> {
    if (!this.#lifecycle.canBecome('stopping')) return;
    this.#lifecycle.become('stopping');
    this.#breakOff();
    onStep('finishing the requests in flight');
    const drainTimeoutMs = this.#release?.settings.drainTimeoutMs ?? 0;
    await this.#options.certificates.stop();
    await this.#runner?.stop(drainTimeoutMs);
    await this.#operations.ended();
    removeAll(this.#sockets.values());
    this.#lifecycle.become('stopped');
  }

  /** To every site. */
  async useTls(material: TlsMaterial): Promise<void> {
    await this.#runner?.useTls(material);
  }

  /** Resolves when no process is left. */
  async kill(): Promise<void> {
    this.#breakOff();
    await this.#runner?.kill();
    removeAll(this.#sockets.values());
  }

  async status(): Promise<InstanceStatus> {
    const { generation, plan, project } = this.release;
    return {
      state: this.state,
      mode: this.#mode,
      reason: plan.reason,
      version: this.#options.version,
      pid: this.#options.pid,
      urls: urlsOf(this.#sockets),
      generation,
      startedAt: this.#startedAt,
      project: {
        root: project.root,
        kind: project.kind,
        application: project.application,
        server: project.server,
        python: interpreterOf(project)?.path,
      },
      certificates: this.#options.certificates.status(),
      lastReloadError: this.#lastReloadError,
      sites: (await this.#runner?.status()) ?? [],
    };
  }

  // Private

  #breakOff(): void {
    this.#abort.abort(new EasyserveError('instance-stopping', ExitCode.notRunning, 'easyserve is stopping.'));
  }

  async #start(onStep: OnStep): Promise<Release> {
    const release = await this.#load(1, onStep);
    const { log, open = (first) => bindMissing(new Map(), first, log) } = this.#options;
    const sockets = await open(release);
    try {
      const certificates = await this.#options.certificates.prepare(release.settings, 'start');
      await this.#run(release, { sockets, certificates, onStep });
      this.#abort.signal.throwIfAborted();
    } catch (error) {
      removeAll(sockets.values());
      throw error;
    }
    this.#lifecycle.become('running');
    return release;
  }

  async #run(release: Release, { sockets, certificates: prepared, onStep }: RunOptions): Promise<void> {
    const { signal } = this.#abort;
    const { certificates, createRunner, onSettings } = this.#options;
    signal.throwIfAborted();
    this.#mode = release.plan.mode;
    this.#release = release;
    this.#sockets = sockets;
    onSettings(release.settings);
    onStep('waiting for the application');
    const runner = await createRunner(release);
    signal.throwIfAborted();
    this.#runner = runner;
    await runner.start(release);
    try {
      signal.throwIfAborted();
      await certificates.use(prepared, sockets.get('https')?.port);
      for (const socket of sockets.values()) await runner.listen(socket);
    } catch (error) {
      // Told to stop: that is being done.
      if (!signal.aborted) await runner.stop(0);
      throw error;
    }
    certificates.keep();
  }

  async #restart(onStep: OnStep): Promise<ReloadResult> {
    const result = await restart({
      ...this.#operationOptions(onStep),
      load: (generation) => this.#load(generation, onStep),
      run: (release, sockets, certificates) => {
        this.#scaledTo = undefined;
        return this.#run(release, { sockets, certificates, onStep });
      },
      onFatal: this.#options.onFatal,
    });
    this.#lastReloadError = undefined;
    return result;
  }

  async #reload(isRequested: boolean, onStep: OnStep): Promise<ReloadResult> {
    const { log } = this.#options;
    log.info('reload', isRequested ? 'a reload begins' : 'a settings file was written: a reload begins', {
      isRequested,
    });
    try {
      const result = await reload({
        ...this.#operationOptions(onStep),
        load: async (generation) => this.#withScale(await this.#load(generation, onStep)),
        isRequested,
        onCommitted: (release, sockets) => this.#onCommitted(release, sockets),
      });
      this.#lastReloadError = undefined;
      return result;
    } catch (error) {
      this.#lastReloadError = describeError(error);
      if (this.#abort.signal.aborted)
        log.info('reload-broken-off', 'the reload ends, because easyserve stops');
      else log.error('reload-failed', 'the reload was refused, the old release still serves', { error });
      throw error;
    }
  }

  #operationOptions(onStep: OnStep): Omit<ReloadOptions, 'load' | 'isRequested' | 'onCommitted'> {
    const { certificates, log } = this.#options;
    const runner = this.#runner as Runner;
    return {
      ...{ release: this.release, sockets: this.#sockets, runner, certificates, onStep, log },
      signal: this.#abort.signal,
    };
  }

  #onCommitted(release: Release, sockets: SiteSockets): void {
    if (!hasSameSetting(release, this.release)) this.#scaledTo = undefined;
    this.#release = release;
    this.#sockets = sockets;
    this.#options.onSettings(release.settings);
  }

  #withScale(release: Release): Release {
    const processes = this.#scaledTo;
    const isFolder = release.project.server === 'none';
    if (processes === undefined || isFolder || !hasSameSetting(release, this.release)) return release;
    const reason = `scaled to ${processes} ${processes === 1 ? 'process' : 'processes'}`;
    return { ...release, plan: { ...release.plan, processes, reason } };
  }

  #load(generation: number, onStep: OnStep): Promise<Release> {
    return this.#options.load({ generation, signal: this.#abort.signal, onStep });
  }
}

// Private

function hasSameSetting(one: Release, other: Release): boolean {
  return one.settings.processes === other.settings.processes;
}

function nothingToScale(): EasyserveError {
  return new EasyserveError(
    'nothing-to-scale',
    ExitCode.usage,
    'This site is a folder of files: it has no application processes.',
  );
}

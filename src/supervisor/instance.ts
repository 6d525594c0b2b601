import { describeError, EasyserveError, type ErrorRecord, ExitCode } from '../contracts/errors.js';
import { type InstanceState, instanceLifecycle, type Lifecycle } from '../contracts/lifecycle.js';
import { interpreterOf } from '../contracts/project-facts.js';
import type { InstanceStatus } from '../contracts/status.js';
import type { TlsMaterial } from '../contracts/tls-material.js';
import type { ReloadResult, ScaleResult } from '../control/protocol.js';
import type { Log } from '../log/log.js';
import type { Runner } from '../site/runner.js';
import type { Certificates, PreparedCertificates } from './certificates.js';
import { OperationTurns } from './operation-turns.js';
import type { LoadedRelease } from './reload/load-release.js';
import { instanceRelease, reload, type Serving } from './reload/reload.js';
import { prepareRestart, refusedRestart } from './reload/restart.js';
import { bindMissing, closeAll, type SiteSockets, urlsOf } from './reload/site-sockets.js';

export type OnStep = (text: string) => void;

export interface InstanceOptions {
  readonly log: Log;
  /** Reads settings and project anew. */
  readonly load: (more: { signal: AbortSignal; onStep: OnStep }) => Promise<LoadedRelease>;
  /** Makes the runner of a mode: the one place where the two modes part. */
  readonly createRunner: (release: LoadedRelease) => Promise<Runner>;
  /** Opens the first listening sockets, while this process may still bind what it likes. Default: bindMissing. */
  readonly open?: (release: LoadedRelease) => Promise<SiteSockets>;
  readonly certificates: Pick<Certificates, 'prepare' | 'use' | 'keep' | 'status' | 'stop'>;
  /** Called at each change, after it. */
  readonly onState?: (state: InstanceState) => void;
  /** Log level and access log of this process. */
  readonly onSettings: (loaded: LoadedRelease) => void;
  /** A restart stopped the old release, and the new one does not start: nothing serves any more. */
  readonly onFatal: (error: unknown) => void;
  readonly version: string;
  readonly pid: number;
}

/** A reload that has not begun yet. */
interface WaitingReload {
  /** By a person or a program, not only by a changed settings file. */
  isRequested: boolean;
  readonly result: Promise<ReloadResult>;
}

/**
 * The running instance: what it serves, and the operations that change it, one after the other.
 *
 * Created by launcher. Signals, the control socket and the settings watch all call these same methods.
 */
export class Instance {
  readonly #options: InstanceOptions;
  readonly #lifecycle: Lifecycle<InstanceState>;
  readonly #startedAt = new Date().toISOString();
  readonly #abort = new AbortController();
  #runner: Runner | undefined;
  #serving: Serving | undefined;
  #mode: 'single' | 'cluster' = 'single';
  #reason = '';
  /** `easyserve scale`: holds over reloads, until `processes` itself changes. */
  #scaledTo: number | undefined;
  #lastReloadError: ErrorRecord | undefined;
  readonly #turns: OperationTurns;
  #waitingReload: WaitingReload | undefined;

  constructor(options: InstanceOptions) {
    this.#options = options;
    this.#lifecycle = instanceLifecycle((to, from) => {
      options.log.debug('state', `${from} -> ${to}`, { from, to });
      options.onState?.(to);
    });
    this.#turns = new OperationTurns(this.#lifecycle);
  }

  get state(): InstanceState {
    return this.#lifecycle.state;
  }

  get serving(): Serving {
    if (this.#serving === undefined) throw new Error('nothing is loaded yet');
    return this.#serving;
  }

  /** Loads and serves. Throws what made it fail, or broke it off; nothing is left running then. */
  start(onStep: OnStep): Promise<LoadedRelease> {
    const started = this.#start(onStep);
    this.#turns.begin(started);
    return started;
  }

  /** Requests that come while one waits to begin join it. */
  reload(isRequested: boolean, onStep: OnStep): Promise<ReloadResult> {
    this.#waitingReload ??= this.#queueReload(onStep);
    // A settings file that was merely touched must not swallow the reload that somebody asks for.
    this.#waitingReload.isRequested ||= isRequested;
    return this.#waitingReload.result;
  }

  /** Stops everything and starts again; the listening socket stays open, so clients wait and are not refused. */
  restart(onStep: OnStep): Promise<ReloadResult> {
    return this.#turns.run('restarting', () => this.#restart(onStep));
  }

  scale(processes: number, onStep: OnStep): Promise<ScaleResult> {
    return this.#turns.run('reloading', async () => {
      if (this.serving.loaded.project.server === 'none') throw nothingToScale();
      const noun = processes === 1 ? 'process' : 'processes';
      onStep(`changing to ${processes} application ${noun}`);
      await this.#runner?.scale(processes);
      this.#scaledTo = processes;
      this.#reason = `scaled to ${processes} ${noun}`;
      const { loaded, generation, sockets } = this.serving;
      this.#serving = { loaded: this.#withScale(loaded), generation, sockets };
      this.#options.log.info('scaled', `scaled to ${processes} application ${noun}`, { processes });
      return { processes, generation };
    });
  }

  /** Finishes what is in flight, then ends everything. Breaks off a start or a reload that is under way. */
  async stop(onStep: OnStep): Promise<void> {
    if (!this.#lifecycle.canBecome('stopping')) return;
    this.#lifecycle.become('stopping');
    this.#breakOff();
    onStep('finishing the requests in flight');
    const drainTimeoutMs = this.#serving?.loaded.settings.drainTimeoutMs ?? 0;
    await this.#options.certificates.stop();
    await this.#runner?.stop(drainTimeoutMs);
    await this.#turns.ended();
    this.#lifecycle.become('stopped');
  }

  /** To every site; for Certificates. */
  async useTls(material: TlsMaterial): Promise<void> {
    await this.#runner?.useTls(material);
  }

  /** Resolves when no process is left. */
  async kill(): Promise<void> {
    this.#breakOff();
    await this.#runner?.kill();
  }

  async status(): Promise<InstanceStatus> {
    const { loaded, generation, sockets } = this.serving;
    return {
      state: this.state,
      mode: this.#mode,
      reason: this.#reason,
      version: this.#options.version,
      pid: this.#options.pid,
      urls: urlsOf(sockets),
      generation,
      startedAt: this.#startedAt,
      project: {
        root: loaded.project.root,
        kind: loaded.project.kind,
        application: loaded.project.application,
        server: loaded.project.server,
        python: interpreterOf(loaded.project)?.path,
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

  async #start(onStep: OnStep): Promise<LoadedRelease> {
    const loaded = await this.#loadAnew(onStep);
    const { log, open = (release) => bindMissing(new Map(), release, log) } = this.#options;
    const sockets = await open(loaded);
    try {
      const prepared = await this.#options.certificates.prepare(loaded.settings, 'start');
      await this.#run({ loaded, generation: 1, sockets }, prepared, onStep);
      this.#abort.signal.throwIfAborted();
    } catch (error) {
      closeAll(sockets.values());
      throw error;
    }
    this.#lifecycle.become('running');
    return loaded;
  }

  async #run(serving: Serving, prepared: PreparedCertificates | undefined, onStep: OnStep): Promise<void> {
    this.#abort.signal.throwIfAborted();
    const { loaded, sockets } = serving;
    this.#mode = loaded.plan.mode;
    this.#reason = loaded.plan.reason;
    this.#serving = serving;
    this.#options.onSettings(loaded);
    const { certificates } = this.#options;
    onStep('waiting for the application');
    const runner = await this.#options.createRunner(loaded);
    this.#abort.signal.throwIfAborted();
    this.#runner = runner;
    await runner.start(instanceRelease(serving));
    try {
      this.#abort.signal.throwIfAborted();
      await certificates.use(prepared, sockets.get('https')?.port);
      for (const socket of sockets.values()) await runner.listen(socket);
    } catch (error) {
      // Told to stop: that is being done.
      if (!this.#abort.signal.aborted) await runner.stop(0);
      throw error;
    }
    certificates.keep();
  }

  async #restart(onStep: OnStep): Promise<ReloadResult> {
    const { log, onFatal } = this.#options;
    const before = this.serving;
    const generation = before.generation + 1;
    log.info('restart', 'a restart begins');
    const prepared = await prepareRestart({
      serving: before,
      runner: this.#runner as Runner,
      load: () => this.#loadAnew(onStep),
      certificates: this.#options.certificates,
      onStep,
      log,
    }).catch((error: unknown) => {
      log.error('restart-failed', 'the restart was refused, the old release still serves', { error });
      throw this.#abort.signal.aborted ? error : refusedRestart(error);
    });
    const { loaded, certificates } = prepared;
    let { sockets } = prepared;
    try {
      onStep('finishing the requests in flight');
      await this.#runner?.stop(before.loaded.settings.drainTimeoutMs);
      this.#scaledTo = undefined;
      sockets = await bindMissing(sockets, loaded, log);
      await this.#run({ loaded, generation, sockets }, certificates, onStep);
    } catch (error) {
      closeAll(sockets.values());
      if (!this.#abort.signal.aborted) onFatal(error);
      throw error;
    }
    this.#lastReloadError = undefined;
    log.info('restarted', `generation ${generation} serves`, { generation });
    return { generation, changes: [] };
  }

  #queueReload(onStep: OnStep): WaitingReload {
    const waiting: WaitingReload = {
      isRequested: false,
      result: this.#turns.run('reloading', () => {
        this.#waitingReload = undefined;
        return this.#reload(waiting.isRequested, onStep);
      }),
    };
    return waiting;
  }

  async #reload(isRequested: boolean, onStep: OnStep): Promise<ReloadResult> {
    const { log } = this.#options;
    log.info('reload', isRequested ? 'a reload begins' : 'a settings file was written: a reload begins', {
      isRequested,
    });
    try {
      const result = await reload({
        serving: this.serving,
        runner: this.#runner as Runner,
        load: () => this.#load(onStep),
        certificates: this.#options.certificates,
        isRequested,
        onStep,
        onCommitted: (serving) => this.#onCommitted(serving),
        signal: this.#abort.signal,
        log,
      });
      this.#lastReloadError = undefined;
      return result;
    } catch (error) {
      this.#lastReloadError = describeError(error);
      if (this.#abort.signal.aborted) log.info('reload-broken-off', 'the reload ends, for easyserve stops');
      else log.error('reload-failed', 'the reload was refused, the old release still serves', { error });
      throw error;
    }
  }

  #onCommitted(serving: Serving): void {
    if (!this.#keepsScale(serving.loaded)) this.#scaledTo = undefined;
    this.#serving = serving;
    if (this.#scaledTo === undefined) this.#reason = serving.loaded.plan.reason;
    this.#options.onSettings(serving.loaded);
  }

  #loadAnew(onStep: OnStep): Promise<LoadedRelease> {
    return this.#options.load({ signal: this.#abort.signal, onStep });
  }

  /** For a reload. */
  async #load(onStep: OnStep): Promise<LoadedRelease> {
    const loaded = await this.#loadAnew(onStep);
    return this.#keepsScale(loaded) ? this.#withScale(loaded) : loaded;
  }

  #keepsScale({ settings }: LoadedRelease): boolean {
    return settings.processes === this.serving.loaded.settings.processes;
  }

  #withScale(loaded: LoadedRelease): LoadedRelease {
    const processes = this.#scaledTo;
    const isFixed = processes === undefined || loaded.project.server === 'none';
    return isFixed ? loaded : { ...loaded, plan: { ...loaded.plan, processes } };
  }
}

// Private

function nothingToScale(): EasyserveError {
  return new EasyserveError(
    'nothing-to-scale',
    ExitCode.usage,
    'This site is a folder of files: it has no application processes.',
  );
}

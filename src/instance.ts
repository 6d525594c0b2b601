import { bindAddress } from './address.js';
import type { ReloadResult, ScaleResult } from './control/protocol.js';
import { describeError, EasyserveError, type ErrorRecord, ExitCode } from './errors.js';
import { type InstanceState, instanceLifecycle, type Lifecycle } from './lifecycle.js';
import type { LoadedRelease } from './load-release.js';
import type { Log } from './log/log.js';
import { instanceRelease, reload, type Serving } from './reload.js';
import { prepareRestart } from './restart.js';
import type { Runner } from './runner.js';
import type { InstanceStatus } from './status.js';

export type OnStep = (text: string) => void;

export interface InstanceOptions {
  readonly log: Log;
  /** Reads settings and project anew. */
  readonly load: (more: { signal: AbortSignal; onStep: OnStep }) => Promise<LoadedRelease>;
  /** Makes the runner of a mode: the one place where the two modes part. */
  readonly createRunner: (release: LoadedRelease) => Runner;
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
  /** The operation under way; the next one waits for it. */
  #operation: Promise<unknown> = Promise.resolve();
  #waitingReload: WaitingReload | undefined;

  constructor(options: InstanceOptions) {
    this.#options = options;
    this.#lifecycle = instanceLifecycle((to, from) =>
      options.log.debug('state', `${from} -> ${to}`, { from, to }),
    );
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
    this.#operation = started.catch(() => {});
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
    return this.#exclusively('restarting', () => this.#restart(onStep));
  }

  scale(processes: number, onStep: OnStep): Promise<ScaleResult> {
    return this.#exclusively('reloading', async () => {
      const noun = processes === 1 ? 'process' : 'processes';
      onStep(`changing to ${processes} application ${noun}`);
      await this.#runner?.scale(processes);
      this.#scaledTo = processes;
      this.#reason = `scaled to ${processes} ${noun}`;
      const { loaded, generation, socket } = this.serving;
      this.#serving = { loaded: this.#withScale(loaded), generation, socket };
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
    await this.#runner?.stop(drainTimeoutMs);
    await this.#operation;
    this.#lifecycle.become('stopped');
  }

  /** Resolves when no process is left. */
  async kill(): Promise<void> {
    this.#breakOff();
    await this.#runner?.kill();
  }

  async status(): Promise<InstanceStatus> {
    const { loaded, generation, socket } = this.serving;
    return {
      state: this.state,
      mode: this.#mode,
      reason: this.#reason,
      version: this.#options.version,
      pid: this.#options.pid,
      urls: [socket.url],
      generation,
      startedAt: this.#startedAt,
      project: {
        root: loaded.project.root,
        kind: loaded.project.kind,
        application: loaded.project.application,
        python: loaded.project.python.path,
      },
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
    const socket = await bindAddress(loaded.settings, loaded.project, this.#options.log);
    try {
      await this.#run({ loaded, generation: 1, socket }, onStep);
      this.#abort.signal.throwIfAborted();
    } catch (error) {
      socket.close();
      throw error;
    }
    this.#lifecycle.become('running');
    return loaded;
  }

  async #run(serving: Serving, onStep: OnStep): Promise<void> {
    this.#abort.signal.throwIfAborted();
    const { loaded, socket } = serving;
    this.#mode = loaded.plan.mode;
    this.#reason = loaded.plan.reason;
    this.#serving = serving;
    this.#options.onSettings(loaded);
    onStep('waiting for the application');
    const runner = this.#options.createRunner(loaded);
    this.#runner = runner;
    await runner.start(instanceRelease(serving), socket);
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
      onStep,
      log,
    }).catch((error: unknown) => {
      log.error('restart-failed', 'the restart was refused, the old release still serves', { error });
      throw this.#abort.signal.aborted ? error : refusedRestart(error);
    });
    const { loaded } = prepared;
    let { socket } = prepared;
    try {
      onStep('finishing the requests in flight');
      await this.#runner?.stop(before.loaded.settings.drainTimeoutMs);
      this.#scaledTo = undefined;
      socket ??= await bindAddress(loaded.settings, loaded.project, log);
      await this.#run({ loaded, generation, socket }, onStep);
    } catch (error) {
      socket?.close();
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
      result: this.#exclusively('reloading', () => {
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
    return processes === undefined ? loaded : { ...loaded, plan: { ...loaded.plan, processes } };
  }

  /** One operation at a time, and none once it stops. */
  #exclusively<T>(state: 'reloading' | 'restarting', act: () => Promise<T>): Promise<T> {
    const run = async (): Promise<T> => {
      if (!this.#lifecycle.canBecome(state)) {
        throw new EasyserveError('instance-busy', ExitCode.notRunning, `easyserve is ${this.state}.`);
      }
      this.#lifecycle.become(state);
      try {
        return await act();
      } finally {
        if (this.state === state) this.#lifecycle.become('running');
      }
    };
    const result = this.#operation.then(run, run);
    this.#operation = result.catch(() => {});
    return result;
  }
}

// Private

/** Whoever asked for the restart wants to know first whether the site is up. */
function refusedRestart(error: unknown): EasyserveError {
  const { code, exitCode, message, hint, detail } = describeError(error);
  const sentence = `The restart was refused, the old release still serves: ${message}`;
  return new EasyserveError(code, exitCode, sentence, { hint, detail, cause: error });
}

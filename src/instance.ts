import { bindAddress, isAddressChanged } from './address.js';
import type { ReloadResult, ScaleResult } from './control/protocol.js';
import { describeError, EasyserveError, type ErrorRecord, ExitCode } from './errors.js';
import { type InstanceState, instanceLifecycle, type Lifecycle } from './lifecycle.js';
import type { LoadedRelease } from './load-release.js';
import type { Log } from './log/log.js';
import { instanceRelease, reload, type Serving } from './reload.js';
import type { Runner } from './runner.js';
import type { InstanceStatus } from './status.js';

export interface InstanceOptions {
  readonly log: Log;
  /** Reads settings and project anew. */
  readonly load: (more: {
    measure: boolean;
    signal: AbortSignal;
    onStep: (text: string) => void;
  }) => Promise<LoadedRelease>;
  /** Makes the runner of a mode: the one place where the two modes part. */
  readonly createRunner: (release: LoadedRelease) => Runner;
  /** Log level and access log of this process. */
  readonly onSettings: (loaded: LoadedRelease) => void;
  /** A restart stopped the old release, and the new one does not start: nothing serves any more. */
  readonly onFatal: (error: unknown) => void;
  readonly version: string;
  readonly pid: number;
}

export type OnStep = (text: string) => void;

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
  #waitingReload: Promise<ReloadResult> | undefined;

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

  /** Throws what made it fail; nothing is left running then. */
  async start(loaded: LoadedRelease, onStep: OnStep): Promise<void> {
    const socket = await bindAddress(loaded.settings, loaded.project, this.#options.log);
    try {
      await this.#run({ loaded, generation: 1, socket }, onStep);
    } catch (error) {
      socket.close();
      throw error;
    }
    if (this.#lifecycle.canBecome('running')) this.#lifecycle.become('running');
  }

  /** Requests that come while one waits to begin join it. */
  reload(isRequested: boolean, onStep: OnStep): Promise<ReloadResult> {
    if (this.#waitingReload !== undefined) return this.#waitingReload;
    const result = this.#exclusively('reloading', () => {
      this.#waitingReload = undefined;
      return this.#reload(isRequested, onStep);
    });
    this.#waitingReload = result;
    const forget = (): void => {
      if (this.#waitingReload === result) this.#waitingReload = undefined;
    };
    result.then(forget, forget);
    return result;
  }

  /** Stops everything and starts again; the listening socket stays open, so clients wait and are not refused. */
  restart(onStep: OnStep): Promise<ReloadResult> {
    return this.#exclusively('restarting', async () => {
      const { serving } = this;
      // A release that can't be loaded must not take the old one down.
      const loaded = await this.#load(true, onStep);
      const isMoved = isAddressChanged(
        [serving.loaded.settings, serving.loaded.project],
        [loaded.settings, loaded.project],
      );
      const socket = isMoved
        ? await bindAddress(loaded.settings, loaded.project, this.#options.log)
        : serving.socket;
      onStep('finishing the requests in flight');
      await this.#runner?.stop(serving.loaded.settings.drainTimeoutMs);
      this.#scaledTo = undefined;
      await this.#run({ loaded, generation: serving.generation + 1, socket }, onStep).catch(
        (error: unknown) => {
          this.#options.onFatal(error);
          throw error;
        },
      );
      if (isMoved) serving.socket.close();
      return { generation: this.serving.generation, changes: [] };
    });
  }

  scale(processes: number, onStep: OnStep): Promise<ScaleResult> {
    return this.#exclusively('reloading', async () => {
      onStep(`changing to ${processes} application processes`);
      await this.#runner?.scale(processes);
      this.#scaledTo = processes;
      this.#reason = `${processes} processes, by easyserve scale`;
      const { loaded, generation, socket } = this.serving;
      this.#serving = { loaded: this.#withScale(loaded), generation, socket };
      this.#options.log.info('scaled', `${processes} application processes serve`, { processes });
      return { processes, generation };
    });
  }

  /** Finishes what is in flight, then ends everything. Breaks off a reload that is under way. */
  async stop(onStep: OnStep): Promise<void> {
    if (!this.#lifecycle.canBecome('stopping')) return;
    this.#lifecycle.become('stopping');
    this.#abort.abort();
    onStep('finishing the requests in flight');
    const drainTimeoutMs = this.#serving?.loaded.settings.drainTimeoutMs ?? 0;
    await this.#runner?.stop(drainTimeoutMs);
    this.#serving?.socket.close();
    this.#lifecycle.become('stopped');
  }

  kill(): void {
    this.#abort.abort();
    this.#runner?.kill();
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

  async #run(serving: Serving, onStep: OnStep): Promise<void> {
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

  async #reload(isRequested: boolean, onStep: OnStep): Promise<ReloadResult> {
    const { log } = this.#options;
    log.info('reload', 'a reload begins', { isRequested });
    try {
      const result = await reload({
        serving: this.serving,
        runner: this.#runner as Runner,
        load: () => this.#load(false, onStep),
        isRequested,
        onStep,
        onCommitted: (serving) => {
          this.#serving = serving;
          if (this.#scaledTo === undefined) this.#reason = serving.loaded.plan.reason;
          this.#options.onSettings(serving.loaded);
        },
        log,
      });
      this.#lastReloadError = undefined;
      return result;
    } catch (error) {
      this.#lastReloadError = describeError(error);
      log.error('reload-failed', 'the reload was refused, the old release still serves', { error });
      throw error;
    }
  }

  async #load(measure: boolean, onStep: OnStep): Promise<LoadedRelease> {
    const loaded = await this.#options.load({ measure, signal: this.#abort.signal, onStep });
    if (loaded.settings.processes !== this.serving.loaded.settings.processes) this.#scaledTo = undefined;
    return this.#withScale(loaded);
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

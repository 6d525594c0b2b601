import { spawn } from 'node:child_process';
import type { EventEmitter } from 'node:events';
import { fileURLToPath } from 'node:url';
import { renderBanner } from './banner.js';
import { systemClock } from './clock.js';
import { ClusterRunner } from './cluster/cluster-runner.js';
import { WorkerGroup } from './cluster/worker-group.js';
import { ControlServer } from './control/control-server.js';
import { acquireInstance, type InstanceLock } from './control/instance-lock.js';
import { type StateFolder, stateFolderOf } from './control/state-folder.js';
import { createControlHandler } from './control-verbs.js';
import { ExitCode } from './errors.js';
import { Instance } from './instance.js';
import { removeLeftovers } from './leftovers.js';
import { type LoadedRelease, loadRelease } from './load-release.js';
import { createLog, type RootLog } from './log/create-log.js';
import type { LogStream } from './log/line-batch.js';
import type { Output } from './log/output.js';
import { createProgress, type Progress } from './log/progress.js';
import { RecentLines } from './log/recent-lines.js';
import { relayLines } from './log/relay-lines.js';
import type { Runner } from './runner.js';
import type { SettingFlag } from './settings/flag-layer.js';
import { loadSettings } from './settings/load.js';
import { settingsFileNames } from './settings/settings-file.js';
import { handleSignals } from './signals.js';
import { SingleRunner } from './single/single-runner.js';
import { Site } from './site.js';
import { watchSettings } from './watch/settings-watch.js';
import { WatchSwitch } from './watch/watch-switch.js';

export interface LaunchOptions {
  /** Absolute, as the person named it: symbolic links are not resolved. */
  readonly projectDir: string;
  /** Absolute. */
  readonly configFile?: string | undefined;
  readonly flags: readonly SettingFlag[];
  readonly env: Readonly<Record<string, string | undefined>>;
  readonly stdout: Output;
  readonly stderr: Output;
  /** Where signals arrive: `process`, outside tests. */
  readonly signals: Pick<EventEmitter, 'on' | 'once' | 'off'>;
  readonly version: string;
  /** What a person types to reload and stop this instance. */
  readonly typed: { readonly reload: string; readonly stop: string };
  /** How this program was started, to start it again. */
  readonly exec: { readonly nodePath: string; readonly nodeArgs: readonly string[]; readonly script: string };
  /** Called once, when the instance serves for the first time. */
  readonly onReady?:
    | ((ready: { readonly urls: readonly string[]; readonly pid: number }) => void)
    | undefined;
}

export interface LaunchResult {
  readonly exitCode: number;
}

/**
 * Runs an instance until it has stopped. Called by cli/start.
 *
 *   lock ── settings, project ── single | cluster ── control socket, signals, settings watch ── … ── stop
 *
 * Throws what keeps it from starting, with nothing left behind.
 */
export async function launch(options: LaunchOptions): Promise<LaunchResult> {
  const folder = await stateFolderOf(options.projectDir);
  const lock = await acquireInstance(folder);
  try {
    return await new Launcher(options, folder, lock).run();
  } finally {
    await lock.release();
  }
}

// Private

/** How long a forced stop waits for its processes to be gone. */
const FORCE_TIMEOUT_MS = 2000;

const workerEntry = fileURLToPath(new URL('./cluster/worker.js', import.meta.url));

class Launcher {
  readonly #options: LaunchOptions;
  readonly #folder: StateFolder;
  readonly #lock: InstanceLock;
  readonly #recent = new RecentLines();
  readonly #progress: Progress;
  readonly #log: RootLog;
  readonly #logFormat: 'pretty' | 'json';
  readonly #instance: Instance;
  readonly #workers = new WorkerGroup(workerEntry);
  readonly #watch: WatchSwitch;
  /** Settles when the instance is to end. */
  readonly #ended: Promise<number>;
  #end!: (exitCode: number) => void;
  #fail!: (error: unknown) => void;
  #stopping: Promise<void> | undefined;

  constructor(options: LaunchOptions, folder: StateFolder, lock: InstanceLock) {
    this.#options = options;
    this.#folder = folder;
    this.#lock = lock;
    this.#progress = createProgress({
      write: options.stdout.write,
      isTerminal: options.stdout.isTerminal,
      columns: options.stdout.columns,
      clock: systemClock,
    });
    // The format is fixed for the life of the instance, so the first look at the settings decides it.
    const { logFormat, logLevel } = loadSettings(options).settings;
    const automatic = options.stdout.isTerminal ? 'pretty' : 'json';
    this.#logFormat = logFormat === 'auto' ? automatic : logFormat;
    this.#log = createLog({
      format: this.#logFormat,
      level: logLevel,
      colour: options.stdout.colour,
      write: (text, stream) => this.#write(text, stream),
      paceOf: (stream) => options[stream].pace,
      onText: (text) => this.#recent.push(text),
    });
    this.#ended = new Promise((resolve, reject) => {
      this.#end = resolve;
      this.#fail = reject;
    });
    this.#instance = this.#createInstance();
    this.#watch = new WatchSwitch(() =>
      watchSettings({
        folder: options.projectDir,
        fileNames: settingsFileNames,
        file: options.configFile,
        onChange: () => this.#reload(false),
        log: this.#log,
      }),
    );
  }

  async run(): Promise<LaunchResult> {
    const verbs = {
      stop: () => void this.#stop((text) => this.#progress.step(text)),
      force: () => void this.#force(),
      reload: () => void this.#reload(true),
    };
    const ignoreSignals = handleSignals(this.#options.signals, verbs, systemClock);
    const control = await ControlServer.listen(
      this.#folder.controlSocket,
      createControlHandler({
        instance: this.#instance,
        recentLines: this.#recent,
        stop: (onStep) => this.#stop(onStep),
      }),
    );
    try {
      // From before the settings are read, so that no change of the file is missed.
      await this.#watch.turn(true);
      await Promise.race([this.#start(), this.#ended]);
      return { exitCode: await this.#ended };
    } finally {
      this.#progress.end();
      await this.#watch.turn(false);
      await control.close();
      ignoreSignals();
      this.#log.flush();
    }
  }

  // Private

  #createInstance(): Instance {
    return new Instance({
      log: this.#log,
      load: (more) => this.#load(more),
      createRunner: (loaded) => this.#createRunner(loaded),
      onSettings: ({ settings }) => {
        this.#log.setLevel(settings.logLevel);
        void this.#watch.turn(settings.watch);
      },
      onFatal: (error) => this.#fail(error),
      version: this.#options.version,
      pid: process.pid,
    });
  }

  async #load(more: { signal: AbortSignal; onStep: (text: string) => void }): Promise<LoadedRelease> {
    const { projectDir, configFile, env, flags } = this.#options;
    const loaded = await loadRelease({ projectDir, configFile, env, flags, ...more });
    for (const text of loaded.project.warnings) this.#log.warn('project-warning', text);
    return loaded;
  }

  /** Where the two modes part. */
  #createRunner({ plan, settings }: LoadedRelease): Runner {
    const { runFolder, spoolFolder } = this.#folder;
    const log = this.#log;
    if (plan.mode === 'single') {
      return new SingleRunner(
        new Site({
          spawn,
          kill: (pid, signal) => void process.kill(pid, signal),
          clock: systemClock,
          log,
          env: this.#options.env,
          runFolder,
          spoolFolder,
          pid: process.pid,
        }),
      );
    }
    return new ClusterRunner({
      welcome: {
        kind: 'welcome',
        runFolder,
        spoolFolder,
        log: { format: this.#logFormat, level: settings.logLevel, colour: this.#options.stdout.colour },
      },
      clock: systemClock,
      log,
      group: this.#workers,
      takeOutput: (source, stream) =>
        relayLines(source, this.#options[stream].pace, (lines) => {
          this.#recent.push(lines);
          this.#write(lines, stream);
        }),
      onWorkerGone: (pid) => removeLeftovers(pid, [runFolder, spoolFolder]),
    });
  }

  async #start(): Promise<void> {
    if (this.#lock.recovered) {
      this.#log.info('recovered', 'an earlier instance had ended without cleaning up; that is done now');
    }
    let loaded: LoadedRelease;
    try {
      loaded = await this.#instance.start((text) => this.#progress.step(text));
    } catch (error) {
      // Told to stop before it was ready: not a failure.
      if (this.#stopping === undefined) throw error;
      return;
    }
    this.#progress.end();
    await this.#announce(loaded);
  }

  async #announce({ project, plan, file }: LoadedRelease): Promise<void> {
    const status = await this.#instance.status();
    const { mode, urls, generation, reason } = status;
    if (this.#logFormat === 'json') {
      const { processes, threads } = plan;
      this.#log.info('ready', 'the site is up', {
        url: urls[0],
        urls,
        mode,
        reason,
        generation,
        processes,
        threads,
      });
      if (plan.advice !== undefined) this.#log.info('advice', plan.advice);
    } else {
      const banner = renderBanner({
        status,
        project,
        typed: this.#options.typed,
        threads: plan.threads,
        processes: plan.processes,
        settingsFile: file,
        advice: plan.advice,
        stdout: this.#options.stdout,
      });
      this.#recent.push(banner);
      this.#write(banner, 'stdout');
    }
    this.#options.onReady?.({ urls, pid: status.pid });
  }

  /** From a signal or the watch: nobody waits for the answer, the log has it. */
  async #reload(isRequested: boolean): Promise<void> {
    await this.#instance.reload(isRequested, () => {}).catch(() => {}); // logged by Instance
  }

  #stop(onStep: (text: string) => void): Promise<void> {
    if (this.#stopping === undefined) {
      this.#log.info('stopping', 'finishing the requests in flight');
      this.#stopping = this.#instance.stop(onStep).then(
        () => {
          this.#log.info('stopped', 'nothing serves any more');
          this.#end(ExitCode.ok);
        },
        (error: unknown) => this.#fail(error),
      );
    }
    return this.#stopping;
  }

  async #force(): Promise<void> {
    this.#log.warn('forced', 'stopping at once: requests in flight are cut');
    systemClock.after(FORCE_TIMEOUT_MS, () => this.#end(ExitCode.forced));
    await this.#instance.kill();
    this.#end(ExitCode.forced);
  }

  #write(text: string, stream: LogStream): void {
    const output = this.#options[stream];
    this.#progress.hide();
    output.write(text);
    const count = output.takeLostLines();
    if (count > 0)
      this.#log.warn('lines-lost', `${count} lines of ${stream} were left out: nobody read them`, { count });
  }
}

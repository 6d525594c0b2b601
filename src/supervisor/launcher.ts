import type { EventEmitter } from 'node:events';
import { fileURLToPath } from 'node:url';
import type { Release } from '../app/pool/release.js';
import { WorkerGroup } from '../cluster/worker-group.js';
import { systemClock } from '../contracts/clock.js';
import { ExitCode } from '../contracts/errors.js';
import { ControlServer } from '../control/control-server.js';
import { acquireInstance, type InstanceLock } from '../control/instance-lock.js';
import { requireProject, type StateFolder, stateFolderOf } from '../control/state-folder.js';
import type { Output } from '../log/output.js';
import { applicationEnvironment } from '../privileges/account.js';
import { Privileges } from '../privileges/privileges.js';
import { readerFor } from '../privileges/project-reader.js';
import type { SettingFlag } from '../settings/flag-layer.js';
import { loadSettings } from '../settings/load.js';
import { readAccountWords } from '../settings/root-rights.js';
import type { Settings } from '../settings/settings.js';
import { settingsFileNames } from '../settings/settings-file.js';
import type { Runner } from '../site/runner.js';
import { defaultCertificateFolder } from '../tls/acme/certificate-folder.js';
import { announce } from './banner.js';
import { Certificates } from './certificates.js';
import { createControlHandler } from './control-verbs.js';
import { FindingReport } from './finding-report.js';
import { Instance, type LoadRequest } from './instance.js';
import { InstanceOutput } from './instance-output.js';
import type { ReloadCause } from './operation-queue.js';
import { loadRelease } from './reload/load-release.js';
import { openFirst } from './reload/open-first.js';
import { ServiceNotifier } from './service-notifier.js';
import { handleSignals } from './signals.js';
import { warnOfContainer } from './warn-of-container.js';
import { WatchSwitch, watchSettings } from './watch/settings-watch.js';

export interface LaunchOptions {
  /** Absolute, as the person named it: symbolic links are not resolved. */
  readonly projectDir: string;
  /** Absolute. */
  readonly configFile?: string | undefined;
  readonly flags: readonly SettingFlag[];
  readonly isStartedByRoot?: boolean | undefined;
  readonly env: Readonly<Record<string, string | undefined>>;
  readonly stdout: Output;
  readonly stderr: Output;
  /** Where signals arrive: `process`, outside tests. */
  readonly signals: Pick<EventEmitter, 'on' | 'once' | 'off'>;
  readonly version: string;
  /** What a person types to reload and stop this instance. */
  readonly typed: { readonly reload: string; readonly stop: string };
  /** Called once, when the instance serves for the first time. */
  readonly onReady?:
    | ((ready: { readonly urls: readonly string[]; readonly pid: number }) => void)
    | undefined;
}

export interface LaunchResult {
  readonly exitCode: number;
}

/**
 * Runs an instance until it has stopped.
 *
 *   privileges ── lock ── settings, project ── single | cluster ── control socket, signals, settings watch ── … ── stop
 *
 * Throws what keeps it from starting, with nothing left behind.
 */
export async function launch(options: LaunchOptions): Promise<LaunchResult> {
  const privileges = Privileges.assume(readAccountWords(options), options.projectDir);
  await requireProject(options.projectDir);
  const { settings } = loadSettings(options);
  const folder = await stateFolderOf(options.projectDir);
  const lock = await acquireInstance(folder);
  try {
    return await new Launcher(options, settings, privileges, folder, lock).run();
  } finally {
    await lock.release();
  }
}

// Private

/** How long a forced stop waits for its processes to be gone. */
const FORCE_TIMEOUT_MS = 2000;

const workerEntry = fileURLToPath(new URL('../cluster/worker.js', import.meta.url));

class Launcher {
  readonly #options: LaunchOptions;
  readonly #privileges: Privileges;
  readonly #applicationEnv: LaunchOptions['env'];
  readonly #notifier: ServiceNotifier;
  readonly #folder: StateFolder;
  readonly #lock: InstanceLock;
  readonly #output: InstanceOutput;
  readonly #findings: FindingReport;
  readonly #instance: Instance;
  readonly #workers = new WorkerGroup(workerEntry);
  readonly #watch: WatchSwitch;
  /** Settles when the instance is to end. */
  readonly #ended: Promise<number>;
  #end!: (exitCode: number) => void;
  #fail!: (error: unknown) => void;
  #stopping: Promise<void> | undefined;

  /** `settings`: the first look at them, without Django's. */
  constructor(
    options: LaunchOptions,
    settings: Settings,
    privileges: Privileges,
    folder: StateFolder,
    lock: InstanceLock,
  ) {
    this.#options = options;
    this.#privileges = privileges;
    this.#applicationEnv = applicationEnvironment(options.env, privileges.account);
    this.#folder = folder;
    this.#lock = lock;
    this.#output = new InstanceOutput(options, settings);
    const { log } = this.#output;
    this.#findings = new FindingReport(log);
    this.#notifier = new ServiceNotifier({ env: options.env, pid: process.pid, clock: systemClock, log });
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
        onChange: () => this.#reload('settings-file'),
        log,
      }),
    );
  }

  async run(): Promise<LaunchResult> {
    const verbs = {
      stop: () => void this.#stop((text) => this.#output.progress.step(text)),
      force: () => void this.#force(),
      reload: () => void this.#reload('request'),
      reopenLogs: () => void this.#output.reopen(),
      ignore: (signal: NodeJS.Signals) =>
        this.#output.log.info('signal-ignored', `${signal} means nothing to easyserve`, { signal }),
    };
    const ignoreSignals = handleSignals(this.#options.signals, verbs, systemClock);
    const control = await ControlServer.listen(
      this.#folder.controlSocket,
      createControlHandler({
        instance: this.#instance,
        recentLines: this.#output.recentLines,
        stop: (onStep) => this.#stop(onStep),
      }),
    );
    try {
      // From before the settings are read, so that no change of the file is missed.
      await this.#watch.turn(true);
      await Promise.race([this.#start(), this.#ended]);
      return { exitCode: await this.#ended };
    } finally {
      this.#output.progress.end();
      await this.#watch.turn(false);
      await control.close();
      ignoreSignals();
      await this.#notifier.close();
      this.#output.log.flush();
    }
  }

  // Private

  #createInstance(): Instance {
    return new Instance({
      log: this.#output.log,
      load: (request) => this.#load(request),
      open: (loaded) =>
        openFirst(loaded, {
          privileges: this.#privileges,
          env: this.#options.env,
          pid: process.pid,
          program: [process.execPath, workerEntry],
          log: this.#output.log,
        }),
      createRunner: (loaded) => this.#createRunner(loaded),
      certificates: this.#createCertificates(),
      onState: (state) => this.#notifier.tell(state),
      onSettings: (settings) => {
        this.#output.log.setLevel(settings.logLevel);
        void this.#watch.turn(settings.watch);
      },
      onFatal: (error) => this.#fail(error),
      version: this.#options.version,
      pid: process.pid,
    });
  }

  #createCertificates(): Certificates {
    const { HOME = '/', STATE_DIRECTORY, XDG_STATE_HOME } = this.#applicationEnv;
    return new Certificates({
      folderFor: ({ acmeFolder }) =>
        acmeFolder ??
        defaultCertificateFolder({
          isRoot: process.getuid?.() === 0,
          home: HOME,
          stateHome: XDG_STATE_HOME,
          stateDirectory: STATE_DIRECTORY,
        }),
      hstsFile: this.#folder.hstsFile,
      clock: systemClock,
      wallNow: Date.now,
      log: this.#output.log,
      publish: (material) => this.#instance.useTls(material),
      watch: (fileNames, onChange) =>
        watchSettings({ folder: this.#options.projectDir, fileNames, onChange, log: this.#output.log }),
    });
  }

  async #load(request: LoadRequest): Promise<Release> {
    const { projectDir, configFile, env, flags, isStartedByRoot } = this.#options;
    const sources = { projectDir, configFile, env, flags, isStartedByRoot };
    const reader = readerFor(this.#privileges, sources);
    const own = { reader, privileges: this.#privileges, applicationEnv: this.#applicationEnv };
    // Half of our modules are loaded by it: while another process reads the project that costs no time.
    import('./create-runner.js').catch(() => {}); // #createRunner hears of it
    const loaded = await loadRelease({ ...sources, ...own, ...request });
    for (const text of loaded.project.warnings) this.#output.log.warn('project-warning', text);
    await this.#findings.tell(loaded);
    return loaded;
  }

  async #createRunner(release: Release): Promise<Runner> {
    const { createRunner } = await import('./create-runner.js');
    return createRunner(release, {
      folder: this.#folder,
      applicationEnv: this.#applicationEnv,
      output: this.#output,
      workers: this.#workers,
    });
  }

  async #start(): Promise<void> {
    warnOfContainer(this.#privileges, this.#output.log);
    if (this.#lock.recovered) {
      this.#output.log.info(
        'recovered',
        'an earlier instance had ended without cleaning up; that is done now',
      );
    }
    let release: Release;
    try {
      release = await this.#instance.start((text) => this.#output.progress.step(text));
    } catch (error) {
      // Told to stop before it was ready: not a failure.
      if (this.#stopping === undefined) throw error;
      return;
    }
    this.#output.progress.end();
    await this.#announce(release);
  }

  async #announce(release: Release): Promise<void> {
    const status = await this.#instance.status();
    const { typed, stdout } = this.#options;
    announce({ status, release, typed, stdout }, this.#output);
    this.#options.onReady?.({ urls: status.urls, pid: status.pid });
  }

  /** From a signal or the watch: nobody waits for the answer, the log has it. */
  async #reload(cause: ReloadCause): Promise<void> {
    await this.#instance.reload(cause, () => {}).catch(() => {}); // logged by Instance
  }

  #stop(onStep: (text: string) => void): Promise<void> {
    if (this.#stopping === undefined) {
      this.#output.log.info('stopping', 'finishing the requests in flight');
      this.#stopping = this.#instance.stop(onStep).then(
        () => {
          this.#output.log.info('stopped', 'nothing serves any more');
          this.#end(ExitCode.ok);
        },
        (error: unknown) => this.#fail(error),
      );
    }
    return this.#stopping;
  }

  async #force(): Promise<void> {
    this.#output.log.warn('forced', 'stopping at once: requests in flight are cut');
    systemClock.after(FORCE_TIMEOUT_MS, () => this.#end(ExitCode.forced));
    await this.#instance.kill();
    this.#end(ExitCode.forced);
  }
}

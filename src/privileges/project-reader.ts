import { type ChildProcess, fork } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { ApplicationError, EasyserveError } from '../contracts/errors.js';
import type { DjangoProject, Project } from '../contracts/project-facts.js';
import { startDespiteSignals } from '../contracts/start-despite-signals.js';
import { endCode, withoutDebugger } from '../contracts/stray-signals.js';
import { askFiles, type FileAsking } from '../project/ask-files.js';
import { type Collection, collectStatic } from '../project/collect-static.js';
import { type Detection, detectProject } from '../project/detect-project.js';
import type { DjangoSource } from '../settings/django-layer.js';
import { type LoadedSettings, loadSettings, type SettingsSources } from '../settings/load.js';
import type { Account } from './account.js';
import type { Privileges } from './privileges.js';
import type { Answer, Job } from './read-as-user.js';

/** What runs code of the project before it is served. */
export interface ProjectReader {
  detect(detection: Detection): Promise<Project>;
  collect(project: DjangoProject, collection: Collection): Promise<string>;
  /** The project with what its code says of each static file; see asksFiles. */
  askFiles(project: DjangoProject, asking: FileAsking): Promise<DjangoProject>;
}

/** For a process that has nothing to give up. */
export const ownReader: ProjectReader = { detect: detectProject, collect: collectStatic, askFiles };

/** What the settings are put together from, when the project has told what Django says. */
export type Sources = Omit<SettingsSources, 'django'>;

/** Of the instance that has these privileges, at this moment. */
export function readerFor(privileges: Privileges, sources: Sources): ProjectReader {
  const { account, areKept } = privileges;
  return account !== undefined && areKept
    ? new UserReader(account, sources, (act) => privileges.raised(act))
    : ownReader;
}

export interface ReadingOptions {
  readonly sources: Sources;
  /** What the project is read with, and served with. */
  readonly env: Detection['env'];
  readonly measure: boolean;
  readonly examine?: boolean;
  readonly signal?: AbortSignal | undefined;
}

/**
 * The project, and its settings with what its Django says. `first` are those without: they say how to ask Django.
 * Throws ApplicationError and SettingsError.
 */
export async function readProject(
  reader: ProjectReader,
  first: LoadedSettings,
  { sources, env, measure, examine, signal }: ReadingOptions,
): Promise<{ readonly loaded: LoadedSettings; readonly project: Project }> {
  const withDjango = (django: DjangoSource): LoadedSettings => loadSettings({ ...sources, django });
  const project = await reader.detect({
    root: sources.projectDir,
    settings: first.settings,
    withDjango: (django) => withDjango(django).settings,
    env,
    measure,
    examine,
    timeoutMs: first.settings.readyTimeoutMs,
    signal,
  });
  if (project.kind !== 'django') return { loaded: first, project };
  const { easyserver, cheroot } = project.django;
  return { loaded: withDjango({ easyserver, cheroot, settingsModule: project.settingsModule }), project };
}

const entry = fileURLToPath(new URL('./read-as-user.js', import.meta.url));

/**
 * For root, before it has given its rights up: the project is read in a process that becomes the user for good, and then
 * runs the project's code. It is forked by `raise`, which has root's rights.
 */
export class UserReader implements ProjectReader {
  readonly #account: Account;
  readonly #sources: Sources;
  readonly #raise: <T>(act: () => T) => T;

  constructor(
    account: Account,
    { projectDir, configFile, env, flags, isStartedByRoot }: Sources,
    raise: <T>(act: () => T) => T,
  ) {
    this.#account = account;
    // A copy: process.env is no plain object, and can't be sent.
    this.#sources = { projectDir, configFile, env: { ...env }, flags, isStartedByRoot };
    this.#raise = raise;
  }

  async detect({ signal, run: _run, withDjango: _withDjango, ...detection }: Detection): Promise<Project> {
    const job = { kind: 'detect', account: this.#account, sources: this.#sources, detection } as const;
    return (await startDespiteSignals(() => this.#do(job, signal))) as Project;
  }

  async collect(project: DjangoProject, { signal, run: _run, ...collection }: Collection): Promise<string> {
    const job = { kind: 'collect', account: this.#account, project, collection } as const;
    return (await startDespiteSignals(() => this.#do(job, signal))) as string;
  }

  async askFiles(
    project: DjangoProject,
    { signal, run: _run, ...asking }: FileAsking,
  ): Promise<DjangoProject> {
    const job = { kind: 'ask-files', account: this.#account, project, asking } as const;
    return (await startDespiteSignals(() => this.#do(job, signal))) as DjangoProject;
  }

  /** Rejects with what the job throws, with the signal's reason, or when the process ends without an answer. */
  async #do(job: Job, signal: AbortSignal | undefined): Promise<unknown> {
    signal?.throwIfAborted();
    const child = this.#raise(() => forkReader());
    // When the channel closes, the process stops what it runs and ends.
    const breakOff = () => child.connected && child.disconnect();
    signal?.addEventListener('abort', breakOff, { once: true });
    try {
      return await awaitAnswer(child, job, signal);
    } finally {
      signal?.removeEventListener('abort', breakOff);
    }
  }
}

// Private

/** In `/`, because the folder that root happened to be in must not matter. */
function forkReader(): ChildProcess {
  return fork(entry, {
    cwd: '/',
    execArgv: [...withoutDebugger],
    serialization: 'advanced',
    // Not ours: Node resets O_NONBLOCK of what it has inherited when it ends, for everybody who shares it.
    stdio: ['ignore', 'ignore', 'pipe', 'ipc'],
  });
}

function awaitAnswer(child: ChildProcess, job: Job, signal: AbortSignal | undefined): Promise<unknown> {
  return new Promise((resolve, reject) => {
    let answer: Answer | undefined;
    let said = '';
    child.stderr?.setEncoding('utf8').on('data', (text: string) => {
      said = (said + text).slice(-saidLength);
    });
    child.once('error', reject);
    child.once('message', (message) => {
      answer = message as Answer;
    });
    child.once('exit', (code, killer) => {
      if (signal?.aborted) reject(signal.reason);
      else if (answer === undefined) reject(silent(code, killer, said));
      else if ('error' in answer) reject(EasyserveError.fromRecord(answer.error));
      else resolve(answer.result);
    });
    child.send(job);
  });
}

/** What of its output an error shows at most. */
const saidLength = 4096;

function silent(code: number | null, killer: NodeJS.Signals | null, said: string): ApplicationError {
  return new ApplicationError(
    endCode(killer, 'reader-died'),
    `The process that reads the project has ended by itself (${killer ?? `exit code ${code}`}).`,
    { detail: said.trim() === '' ? undefined : said.trim() },
  );
}

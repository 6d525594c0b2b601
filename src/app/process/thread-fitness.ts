import type { Log } from '../../log/log.js';
import type { LaunchPlan, ThreadPlan } from '../servers/application-server.js';

/** The working folder belongs to the whole process. */
export interface WorkingFolder {
  current(): string;
  /** Throws when it can't be entered. */
  enter(path: string): void;
}

/** Remembers which applications can't live in a thread, for as long as this process runs. Made by executePlans. */
export class ThreadFitness {
  readonly #workingFolder: WorkingFolder;
  readonly #log: Log;
  /** By file. */
  readonly #unfit = new Set<string>();
  /** The folders that the running threads take for theirs. */
  readonly #inUse = new Map<object, string>();

  constructor(workingFolder: WorkingFolder, log: Log) {
    this.#workingFolder = workingFolder;
    this.#log = log;
  }

  /** Whether it can be tried; the folder of the process is that of the plan then. */
  allows({ cwd }: Pick<LaunchPlan, 'cwd'>, { file }: Pick<ThreadPlan, 'file'>): boolean {
    if (this.#unfit.has(file)) return false;
    const other = [...this.#inUse.values()].find((folder) => folder !== cwd);
    if (other !== undefined) {
      this.#report(file, `the one before it still runs in ${other}, and threads share their folder`);
      return false;
    }
    return this.#enter(cwd, file);
  }

  /** From the start of a thread to its end. */
  hold(cwd: string, until: Promise<unknown>): void {
    const key = {};
    this.#inUse.set(key, cwd);
    void until.then(() => this.#inUse.delete(key));
  }

  /** `reason`: `it calls process.chdir()`. */
  refuse({ file }: Pick<ThreadPlan, 'file'>, reason: string): void {
    this.#unfit.add(file);
    this.#report(file, reason);
  }

  // Private

  #enter(cwd: string, file: string): boolean {
    try {
      if (this.#workingFolder.current() !== cwd) this.#workingFolder.enter(cwd);
      return true;
    } catch (error) {
      this.#report(file, `its folder can't be entered: ${(error as Error).message}`);
      return false;
    }
  }

  #report(file: string, reason: string): void {
    this.#log.info('node-process', `the application gets a process of its own, not a thread: ${reason}`, {
      application: file,
      reason,
    });
  }
}

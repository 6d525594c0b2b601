import type { ChildProcess, SpawnOptions } from 'node:child_process';
import type { Duplex, Readable } from 'node:stream';
import { setTimeout as passed } from 'node:timers/promises';
import type { LaunchPlan } from '../servers/application-server.js';
import { hasMembers } from './group-members.js';

export type Spawn = (command: string, args: readonly string[], options: SpawnOptions) => ChildProcess;
/** process.kill; a negative pid means the group, signal 0 only asks whether it is there. */
export type Kill = (pid: number, signal: NodeJS.Signals | 0) => void;

export interface Ending {
  readonly code: number | null;
  readonly signal: NodeJS.Signals | null;
  /** It could not even be started. */
  readonly error?: Error | undefined;
}

/** The descriptor that joins an application process to easyserve; AppControl has this end of it. */
export const CONTROL_FD = 3;

const POLL_INTERVAL_MS = 100;

/** A child process that leads a process group, so that it can be ended with all its children. */
export class ProcessGroup {
  /**
   * Resolves when the leader has ended, and, once SIGTERM was sent, all others: a shell ends by it at once, while the program that
   * it runs (`npm start`) still has work to end. Output may come until `outputEnded`. Never rejects.
   */
  readonly ended: Promise<Ending>;
  readonly outputEnded: Promise<void>;
  readonly #child: ChildProcess;
  readonly #kill: Kill;
  #lastSignal: 'SIGTERM' | 'SIGKILL' | undefined;

  constructor(plan: LaunchPlan, spawn: Spawn, kill: Kill) {
    this.#kill = kill;
    this.#child = spawn(plan.command, plan.args, {
      cwd: plan.cwd,
      env: plan.env as NodeJS.ProcessEnv,
      detached: true,
      stdio: ['ignore', 'pipe', 'pipe', 'pipe'],
    });
    this.ended = this.#watchEnd();
    this.outputEnded = this.#watchOutput(plan);
  }

  /** 0 when it could not be started. */
  get pid(): number {
    return this.#child.pid ?? 0;
  }

  /** Undefined when it could not be started, as the next two. */
  get stdout(): Readable | undefined {
    return this.#child.stdout ?? undefined;
  }

  get stderr(): Readable | undefined {
    return this.#child.stderr ?? undefined;
  }

  /** Without descriptors left for it (EMFILE) a child has no stdio at all. */
  get control(): Duplex | undefined {
    return (this.#child.stdio?.[CONTROL_FD] ?? undefined) as Duplex | undefined;
  }

  /** To the process and all its children. Throws what `kill` throws. */
  signal(signal: 'SIGTERM' | 'SIGKILL'): void {
    this.#lastSignal = signal;
    if (this.pid !== 0) this.#kill(-this.pid, signal);
  }

  // Private

  async #watchEnd(): Promise<Ending> {
    const ending = await new Promise<Ending>((resolve) => {
      this.#child.once('error', (error) => {
        if (this.pid === 0) resolve({ code: null, signal: null, error });
      });
      this.#child.once('exit', (code, signal) => resolve({ code, signal }));
    });
    while (this.#lastSignal === 'SIGTERM' && (await this.#hasOthers())) {
      await passed(POLL_INTERVAL_MS); // a timer of Clock would not keep us alive, when nothing else does
    }
    return ending;
  }

  async #hasOthers(): Promise<boolean> {
    try {
      this.#kill(-this.pid, 0);
    } catch {
      return false; // ESRCH: nobody; EPERM: nobody whom we could end
    }
    return hasMembers(this.pid);
  }

  /** Not the control descriptor of a command: its watcher (command-server) holds that until the group is ended. */
  async #watchOutput({ readiness }: LaunchPlan): Promise<void> {
    const streams = readiness === 'control' ? [this.#child] : [this.stdout, this.stderr];
    await Promise.all(
      streams.map(
        (stream) =>
          new Promise<void>((resolve) => {
            if (stream === undefined) resolve();
            else stream.once('close', resolve);
          }),
      ),
    );
  }
}

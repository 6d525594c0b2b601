import type { ChildProcess, SpawnOptions } from 'node:child_process';
import type { Duplex, Readable } from 'node:stream';
import type { LaunchPlan } from '../servers/application-server.js';

export type Spawn = (command: string, args: readonly string[], options: SpawnOptions) => ChildProcess;
/** process.kill; a negative pid means the group. */
export type Kill = (pid: number, signal: NodeJS.Signals) => void;

export interface Ending {
  readonly code: number | null;
  readonly signal: NodeJS.Signals | null;
  /** It could not even be started. */
  readonly error?: Error | undefined;
}

/** The descriptor that joins an application process to easyserve; AppControl has this end of it. */
export const CONTROL_FD = 3;

/** A child process that leads a process group, so that it can be ended with all its children. */
export class ProcessGroup {
  /** Resolves when the leader has ended; its output may still come until `outputEnded`. Never rejects. */
  readonly ended: Promise<Ending>;
  readonly outputEnded: Promise<void>;
  readonly #child: ChildProcess;
  readonly #kill: Kill;

  constructor(plan: LaunchPlan, spawn: Spawn, kill: Kill) {
    this.#kill = kill;
    this.#child = spawn(plan.command, plan.args, {
      cwd: plan.cwd,
      env: plan.env as NodeJS.ProcessEnv,
      detached: true,
      stdio: ['ignore', 'pipe', 'pipe', 'pipe'],
    });
    this.ended = new Promise((resolve) => {
      this.#child.once('error', (error) => {
        if (this.pid === 0) resolve({ code: null, signal: null, error });
      });
      this.#child.once('exit', (code, signal) => resolve({ code, signal }));
    });
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
    if (this.pid !== 0) this.#kill(-this.pid, signal);
  }

  // Private

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

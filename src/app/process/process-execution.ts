import type { ChildProcess } from 'node:child_process';
import type { Duplex, Readable } from 'node:stream';
import type { LaunchPlan } from '../servers/application-server.js';
import type { Ending, Execution, Kill, Spawn } from './execution.js';
import { readRssBytes } from './process-memory.js';

/** The descriptor that joins an application process to easyserve; see Control in gateway.py. */
export const CONTROL_FD = 3;

/** An application in a process of its own, which leads a process group. */
export class ProcessExecution implements Execution {
  readonly kind = 'process';
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

  get pid(): number {
    return this.#child.pid ?? 0;
  }

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

  signal(signal: 'SIGTERM' | 'SIGKILL'): void {
    if (this.pid !== 0) this.#kill(-this.pid, signal);
  }

  memoryBytes(): Promise<number | undefined> {
    return readRssBytes(this.pid);
  }

  // Private

  /** The watcher of a command (command-server) holds the control descriptor until its group is ended. */
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

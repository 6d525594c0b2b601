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
  /** Why, where code and signal do not tell: `it ran out of memory`. */
  readonly reason?: string | undefined;
}

/**
 * What carries an application: a process of its own (ProcessExecution), or a thread of this one (ThreadExecution). Made
 * by Execute for AppProcess, which knows when to start and stop; this knows how.
 */
export interface Execution {
  /** Of the process; 0 when it could not be started. A thread has the pid of this process. */
  readonly pid: number;
  readonly kind: 'process' | 'thread';
  /** Undefined when it could not be started. */
  readonly stdout: Readable | undefined;
  readonly stderr: Readable | undefined;
  /** Joins it to easyserve (app-control); undefined when it could not be started. */
  readonly control: Duplex | undefined;
  /** Resolves when it has ended; its output may still come until `outputEnded`. Never rejects. */
  readonly ended: Promise<Ending>;
  readonly outputEnded: Promise<void>;
  /** To it and all its children. Throws what `kill` throws. A thread knows only the two. */
  signal(signal: 'SIGTERM' | 'SIGKILL'): void;
  /** Of a process the resident size, of a thread its heap and buffers; undefined when it can't be told. */
  memoryBytes(): Promise<number | undefined>;
}

export type Execute = (plan: LaunchPlan) => Execution;

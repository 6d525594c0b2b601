import { type ChildProcess, spawn } from 'node:child_process';
import type { Readable } from 'node:stream';
import { isStraySignal } from '../contracts/stray-signals.js';

/** Runs one command to its end, in a process group of its own that is gone afterwards, whatever the command did. */
export type RunCommand = (request: CommandRequest) => Promise<CommandResult>;

/** What every program that is asked about a project is run with. */
export interface RunOptions extends Pick<CommandRequest, 'env' | 'timeoutMs' | 'signal'> {
  readonly run: RunCommand;
}

export interface CommandRequest {
  readonly command: string;
  readonly args: readonly string[];
  readonly cwd: string;
  readonly env: Readonly<Record<string, string | undefined>>;
  /** After this the whole group is killed. */
  readonly timeoutMs: number;
  /** Aborted: the group is killed and the promise rejects with the reason. */
  readonly signal?: AbortSignal | undefined;
  /** Opens descriptor 3 and reads what the command writes there, apart from what it prints. */
  readonly hasAnswer?: boolean;
}

export interface CommandResult {
  readonly isTimedOut: boolean;
  /** Exit code; null when a signal ended it. */
  readonly code: number | null;
  readonly signal: NodeJS.Signals | null;
  /** The last part of what it printed, without white space at the ends. */
  readonly stdout: string;
  /** The last part of stdout and stderr together, about in order. */
  readonly output: string;
  /** All of descriptor 3; '' without `hasAnswer`. */
  readonly answer: string;
  readonly durationMs: number;
}

const keptOutputChars = 64 * 1024;
/** How long a command that has answered may take to end: a thread of the project may hold it up without end. */
const endAfterAnswerMs = 1000;
/** How long the pipes may stay open after the end: a daemon that left the group may hold them without end. */
const closeAfterEndMs = 500;

/** Rejects when the command cannot be started (ENOENT, EACCES) or `signal` is aborted. */
export const runCommand: RunCommand = async (request) => {
  const untilMs = performance.now() + request.timeoutMs;
  for (;;) {
    const result = await runOnce(request);
    // Most commands have no handler of it (contracts/start-despite-signals).
    if (!isStraySignal(result.signal) || performance.now() > untilMs) return result;
  }
};

const runOnce: RunCommand = async (request) => {
  request.signal?.throwIfAborted();
  const startedAtMs = performance.now();
  const child = spawn(request.command, request.args, {
    cwd: request.cwd,
    env: request.env,
    detached: true,
    windowsHide: true,
    stdio: ['ignore', 'pipe', 'pipe', request.hasAnswer ? 'pipe' : 'ignore'],
  });
  const collected = collectOutput(child);
  const end = await awaitEnd(child, request);
  return {
    ...end,
    stdout: collected.stdout.trim(),
    output: collected.output.trim(),
    answer: collected.answer,
    durationMs: performance.now() - startedAtMs,
  };
};

function collectOutput(child: ChildProcess): { stdout: string; output: string; answer: string } {
  const collected = { stdout: '', output: '', answer: '' };
  const [, stdout, stderr, answer] = child.stdio as (Readable | null)[];
  onText(stdout, (text) => {
    collected.stdout = (collected.stdout + text).slice(-keptOutputChars);
    collected.output = (collected.output + text).slice(-keptOutputChars);
  });
  onText(stderr, (text) => {
    collected.output = (collected.output + text).slice(-keptOutputChars);
  });
  onText(answer, (text) => {
    collected.answer += text;
  });
  return collected;
}

function onText(stream: Readable | null | undefined, take: (text: string) => void): void {
  stream?.setEncoding('utf8').on('data', take);
}

type End = Pick<CommandResult, 'isTimedOut' | 'code' | 'signal'>;

function awaitEnd(child: ChildProcess, request: CommandRequest): Promise<End> {
  const { timeoutMs, signal } = request;
  return new Promise((resolve, reject) => {
    let isTimedOut = false;
    const timers = [
      setTimeout(() => {
        isTimedOut = true;
        killGroup(child);
      }, timeoutMs),
    ];
    const killNow = () => killGroup(child);
    signal?.addEventListener('abort', killNow, { once: true });
    const settle = (finish: () => void) => {
      for (const timer of timers) clearTimeout(timer);
      signal?.removeEventListener('abort', killNow);
      finish();
    };
    const onEnd = () =>
      settle(() =>
        signal?.aborted
          ? reject(signal.reason)
          : resolve({ isTimedOut, code: child.exitCode, signal: child.signalCode }),
      );
    child.on('error', (error) => settle(() => reject(error)));
    child.on('exit', () => {
      killNow(); // what the command left behind
      timers.push(setTimeout(onEnd, closeAfterEndMs));
    });
    child.on('close', onEnd);
    child.stdio[3]?.on('end', () => timers.push(setTimeout(killNow, endAfterAnswerMs)));
  });
}

function killGroup(child: ChildProcess): void {
  if (child.pid === undefined) return;
  try {
    process.kill(-child.pid, 'SIGKILL');
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'ESRCH') throw error;
  }
}

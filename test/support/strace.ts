import { type ChildProcess, spawn } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { ensureInstalled } from './installed-program.js';
import { killProcess } from './processes.js';
import { withDeadline } from './with-deadline.js';

/** How often a process and its threads called the kernel, by the name of the call. */
export type SystemCalls = ReadonlyMap<string, number>;

/**
 * Runs `action` and counts the system calls that the process makes meanwhile, in all its threads, by `strace -c` (strace(1)). Its
 * children are not counted. Installs strace with apt-get where it is missing and that is allowed.
 *
 * Rejects with the reason when strace can't be had, or may not look into the process (as another user than root it may only where
 * /proc/sys/kernel/yama/ptrace_scope is 0).
 */
export async function countSystemCalls(
  pid: number,
  folder: string,
  action: () => Promise<void>,
): Promise<SystemCalls> {
  return readReport(await runStrace(pid, folder, ['-c'], action));
}

/**
 * The system calls that the process makes during `action`, one a line as strace writes it, each descriptor with what it leads to
 * (`read(9<anon_inode:inotify>, …`). `names`: those that are wanted, as in `strace -e trace=`.
 *
 * Rejects as countSystemCalls does.
 */
export async function listSystemCalls(
  pid: number,
  folder: string,
  names: string,
  action: () => Promise<void>,
): Promise<readonly string[]> {
  const text = await runStrace(pid, folder, ['-y', '-s', '200', '-e', `trace=${names}`], action);
  return text.split('\n').filter((line) => line !== '');
}

/** The calls of each name divided by `requests`, most frequent first, for messages. */
export function describeCalls(calls: SystemCalls, requests: number): string {
  return [...calls]
    .sort(([, a], [, b]) => b - a)
    .map(([name, count]) => `${name} ${(count / requests).toFixed(2)}`)
    .join(', ');
}

// Private

/** What strace has written about the process and all its threads. */
async function runStrace(
  pid: number,
  folder: string,
  options: readonly string[],
  action: () => Promise<void>,
): Promise<string> {
  ensureInstalled('strace');
  const report = join(folder, `strace-${pid}`);
  // -qq would also silence the line that says that it is attached.
  const strace = spawn('strace', [...options, '-f', '-o', report, '-p', String(pid)], {
    stdio: ['ignore', 'ignore', 'pipe'],
  });
  const ended = new Promise<void>((resolve) => strace.once('close', () => resolve()));
  try {
    await untilAttached(strace, ended);
    await action();
  } finally {
    // It lets go of the process, and writes its report.
    if (strace.pid !== undefined && strace.exitCode === null) killProcess(strace.pid, 'SIGINT');
    await withDeadline(ended, 10_000, () => 'strace did not end');
  }
  return readFileSync(report, 'utf8');
}

/** `strace: Process 12 attached`, or `… attached with 11 threads`. */
async function untilAttached(strace: ChildProcess, ended: Promise<void>): Promise<void> {
  let output = '';
  const attached = new Promise<void>((resolve, reject) => {
    strace.once('error', reject);
    strace.stderr?.setEncoding('utf8').on('data', (text: string) => {
      output += text;
      if (/ attached/.test(output)) resolve();
    });
  });
  const failed = ended.then(() => {
    throw new Error(`strace could not look into the process: ${output}`);
  });
  failed.catch(() => undefined); // it rejects at the end of every strace
  await withDeadline(Promise.race([attached, failed]), 10_000, () => `strace said: ${output}`);
}

/** `% time     seconds  usecs/call     calls    errors syscall`: the fourth column, and the last. Empty when there were none. */
function readReport(text: string): SystemCalls {
  const calls = new Map<string, number>();
  for (const line of text.split('\n')) {
    const found = line.match(/^\s*[\d.]+\s+[\d.]+\s+\d+\s+(\d+)\s+(?:\d+\s+)?(\w+)$/);
    if (found?.[1] !== undefined && found[2] !== undefined && found[2] !== 'total')
      calls.set(found[2], Number(found[1]));
  }
  return calls;
}

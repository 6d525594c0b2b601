import { type ChildProcess, spawn } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { ensureInstalled } from './installed-program.js';
import { killProcess } from './processes.js';
import { withDeadline } from './with-deadline.js';

/**
 * The system calls that the process and its threads make during `action`, by strace(1): one a line as strace writes it, each
 * descriptor with what it leads to (`read(9<anon_inode:inotify>, …`). `names`: those that are wanted, as in `strace -e trace=`.
 *
 * Its children are not looked at. Installs strace with apt-get where it is missing and that is allowed. Rejects with the reason when
 * strace can't be had, or may not look into the process (as another user than root it may only where
 * /proc/sys/kernel/yama/ptrace_scope is 0).
 */
export async function listSystemCalls(
  pid: number,
  folder: string,
  names: string,
  action: () => Promise<void>,
): Promise<readonly string[]> {
  ensureInstalled('strace');
  const report = join(folder, `strace-${pid}`);
  // -qq would also silence the line that says that it is attached.
  const strace = spawn(
    'strace',
    ['-f', '-y', '-s', '200', '-e', `trace=${names}`, '-o', report, '-p', String(pid)],
    { stdio: ['ignore', 'ignore', 'pipe'] },
  );
  const ended = new Promise<void>((resolve) => strace.once('close', () => resolve()));
  try {
    await untilAttached(strace, ended);
    await action();
  } finally {
    // It lets go of the process, and writes its report.
    if (strace.pid !== undefined && strace.exitCode === null) killProcess(strace.pid, 'SIGINT');
    await withDeadline(ended, 10_000, () => 'strace did not end');
  }
  // The end of a call that was interrupted by another thread's is a line of its own.
  return readFileSync(report, 'utf8')
    .split('\n')
    .filter((line) => /^\d+ +\w+\(/.test(line));
}

// Private

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

import { type ChildProcess, spawn } from 'node:child_process';
import { closeSync, constants, writeSync } from 'node:fs';
import { type FileHandle, open } from 'node:fs/promises';
import { dirname } from 'node:path';
import type { Readable } from 'node:stream';
import { setTimeout as after } from 'node:timers/promises';
import { EasyserveError, type ErrorRecord, ExitCode, StartError } from '../../contracts/errors.js';
import { withDiskErrors } from '../../control/disk-error.js';
import { requireProject, stateFolderOf } from '../../control/state-folder.js';
import { paint } from '../../log/paint.js';
import { Privileges } from '../../privileges/privileges.js';
import type { Sources } from '../../privileges/project-reader.js';
import { loadSettings } from '../../settings/load.js';
import { readAccountWords } from '../../settings/root-rights.js';
import type { CliContext } from '../cli-context.js';
import { settingArgument } from '../command.js';
import { typedCommand } from '../text/typed-command.js';
import { withProgress } from '../text/wait-progress.js';

/** The one line that a daemon sends to the `start --daemon` that made it. */
export type DaemonNews =
  | { readonly ready: { readonly urls: readonly string[]; readonly pid: number } }
  | { readonly error: ErrorRecord };

/** The daemon's end of the pipe. Only the first news is sent. */
export class ReadyPipe {
  #fd: number | undefined;

  constructor(fd: number) {
    this.#fd = fd;
  }

  tell(news: DaemonNews): void {
    if (this.#fd === undefined) return;
    const fd = this.#fd;
    this.#fd = undefined;
    try {
      writeSync(fd, `${JSON.stringify(news)}\n`);
    } catch (error) {
      // Whoever started it has ended; the daemon serves all the same.
      if ((error as NodeJS.ErrnoException).code !== 'EPIPE') throw error;
    } finally {
      closeSync(fd);
    }
  }
}

type Outcome =
  | { readonly kind: 'news'; readonly news: DaemonNews }
  | { readonly kind: 'exit'; readonly code: number | null; readonly signal: NodeJS.Signals | null }
  | { readonly kind: 'interrupted' }
  | { readonly kind: 'deadline' };

/** The daemon's own deadlines (collectstatic, readyTimeoutMs) come first; this one is for a daemon that is frozen. */
const deadlineMs = 15 * 60 * 1000;
const shownLogBytes = 8 * 1024;
const shownLogLines = 30;

/**
 * `easyserve start --daemon`: starts the same program detached, with its output in the log file, and waits until it serves.
 *
 * Throws the daemon's own error when it has failed; its exit code is the daemon's.
 */
export async function startDaemon(sources: Sources, context: CliContext): Promise<number> {
  const { projectDir } = sources;
  // From here on root acts as the user of the site, to whom the log belongs too.
  const privileges = Privileges.assume(readAccountWords(sources), projectDir);
  await requireProject(projectDir);
  loadSettings(sources); // what is wrong with them is said here, not in the log
  const { logFile } = await stateFolderOf(projectDir);
  const log = await withDiskErrors(dirname(logFile), () => openLog(logFile));
  try {
    const logStart = (await log.stat()).size;
    const outcome = await withProgress(context.stderr, 'starting', async () => {
      const daemon = privileges.raised(() => spawnDaemon(sources, log.fd, context));
      const first = await awaitOutcome(daemon, context);
      if (isReady(first)) release(daemon);
      else if (first.kind === 'interrupted' || first.kind === 'deadline') await end(daemon);
      return first;
    });
    if (!isReady(outcome)) throw await explain(outcome, log, logStart, logFile);
    const stop = typedCommand('stop', projectDir, context);
    printReady(outcome.news.ready, { logFile, stop }, context);
    return ExitCode.ok;
  } finally {
    await log.close();
  }
}

// Private

/** What stands there is no file that the user of the site may write: a folder, or a link to somebody else's file. */
const notOurs = new Set(['EACCES', 'EPERM', 'EISDIR', 'ELOOP', 'ENXIO', 'ENOTDIR']);

/** O_NONBLOCK, and the look at what was opened: a FIFO in its place would hold up every line of the log (fifo(7)). */
async function openLog(path: string): Promise<FileHandle> {
  const { O_RDWR, O_APPEND, O_CREAT, O_NONBLOCK, O_NOCTTY } = constants;
  try {
    const log = await open(path, O_RDWR | O_APPEND | O_CREAT | O_NONBLOCK | O_NOCTTY, 0o600);
    if ((await log.stat()).isFile()) return log;
    await log.close();
  } catch (error) {
    if (!notOurs.has((error as NodeJS.ErrnoException).code ?? '')) throw error;
  }
  throw new EasyserveError(
    'state-folder-unusable',
    ExitCode.unexpected,
    `${path}, where the log belongs, is not a file that may be written.`,
    { hint: `rm ${path}` },
  );
}

type ReadyNews = Extract<DaemonNews, { ready: unknown }>;

function isReady(outcome: Outcome): outcome is { readonly kind: 'news'; readonly news: ReadyNews } {
  return outcome.kind === 'news' && 'ready' in outcome.news;
}

function spawnDaemon(sources: Sources, logFd: number, { exec, env, cwd }: CliContext): ChildProcess {
  const args = ['start', sources.projectDir, '--ready-fd', '3', ...sources.flags.map(settingArgument)];
  if (sources.configFile !== undefined) args.push('--config', sources.configFile);
  return spawn(exec.nodePath, [...exec.nodeArgs, exec.script, ...args], {
    cwd,
    env,
    detached: true,
    stdio: ['ignore', logFd, logFd, 'pipe'],
  });
}

async function awaitOutcome(daemon: ChildProcess, { signals }: CliContext): Promise<Outcome> {
  const stop = new AbortController();
  let interrupt: () => void = () => undefined;
  const interrupted = new Promise<Outcome>((resolve) => {
    interrupt = () => resolve({ kind: 'interrupted' });
    signals.once('SIGINT', interrupt);
    signals.once('SIGTERM', interrupt);
  });
  const deadline = after<Outcome>(deadlineMs, { kind: 'deadline' }, { signal: stop.signal });
  // Rejects when stopped, after the race is over.
  deadline.catch(() => undefined);
  try {
    return await Promise.race([readNews(daemon), awaitExit(daemon), interrupted, deadline]);
  } finally {
    stop.abort();
    signals.off('SIGINT', interrupt);
    signals.off('SIGTERM', interrupt);
  }
}

/** Stays pending when the daemon ends without news: awaitExit tells that. */
function readNews(daemon: ChildProcess): Promise<Outcome> {
  return new Promise((resolve) => {
    let text = '';
    const pipe = daemon.stdio[3] as Readable;
    pipe.setEncoding('utf8');
    pipe.on('data', (chunk: string) => {
      text += chunk;
      if (!text.endsWith('\n')) return;
      const news = JSON.parse(text) as DaemonNews;
      // After an error the daemon exits at once; only then is the folder free for the next try.
      if ('ready' in news) resolve({ kind: 'news', news });
      else daemon.once('exit', () => resolve({ kind: 'news', news }));
    });
  });
}

/** After 'close', when everything that the daemon sent has been read. */
function awaitExit(daemon: ChildProcess): Promise<Outcome> {
  return new Promise((resolve, reject) => {
    daemon.once('error', reject);
    daemon.once('close', (code, signal) => resolve({ kind: 'exit', code, signal }));
  });
}

async function end(daemon: ChildProcess): Promise<void> {
  if (daemon.exitCode !== null || daemon.signalCode !== null) return;
  const exited = new Promise((resolve) => daemon.once('exit', resolve));
  daemon.kill('SIGTERM');
  await exited;
}

function release(daemon: ChildProcess): void {
  daemon.stdio[3]?.destroy();
  daemon.unref();
}

function printReady(
  ready: { readonly urls: readonly string[]; readonly pid: number },
  { logFile, stop }: { readonly logFile: string; readonly stop: string },
  { stdout }: CliContext,
): void {
  const name = (text: string): string => paint(stdout.colour, 'dim', text);
  stdout.write('easyserve serves in the background.\n');
  for (const url of ready.urls) stdout.write(`  ${name('url')}      ${url}\n`);
  stdout.write(`  ${name('process')}  ${ready.pid}\n  ${name('log')}      ${logFile}\n`);
  stdout.write(`  ${name('stop')}     ${stop}\n`);
}

async function explain(
  outcome: Outcome,
  log: FileHandle,
  logStart: number,
  logFile: string,
): Promise<EasyserveError> {
  if (outcome.kind === 'news' && 'error' in outcome.news)
    return EasyserveError.fromRecord(outcome.news.error);
  if (outcome.kind === 'interrupted') {
    return new EasyserveError('interrupted', ExitCode.forced, 'Interrupted; the instance was stopped again.');
  }
  const detail = await readTail(log, logStart);
  const hint = `the whole log: ${logFile}`;
  if (outcome.kind === 'exit') return diedEarly(outcome, detail, hint);
  return new StartError(
    'daemon-not-ready',
    `The instance was not ready within ${deadlineMs / 60_000} minutes.`,
    {
      detail,
      hint,
    },
  );
}

function diedEarly(
  { code, signal }: Extract<Outcome, { kind: 'exit' }>,
  detail: string | undefined,
  hint: string,
): EasyserveError {
  const how = signal === null ? `with exit code ${code}` : `by ${signal}`;
  const exitCode = code === null || code === 0 ? ExitCode.startFailed : code;
  return new EasyserveError('daemon-died', exitCode, `The instance ended ${how} before it served.`, {
    detail,
    hint,
  });
}

/** The last lines that this daemon wrote. */
async function readTail(log: FileHandle, logStart: number): Promise<string | undefined> {
  const { size } = await log.stat();
  const from = Math.max(logStart, size - shownLogBytes);
  const { buffer, bytesRead } = await log.read(Buffer.alloc(size - from), 0, size - from, from);
  const text = buffer.subarray(0, bytesRead).toString('utf8').trimEnd();
  return text === '' ? undefined : text.split('\n').slice(-shownLogLines).join('\n');
}

import { lstat, mkdir, rm, utimes } from 'node:fs/promises';
import type { Clock } from '../contracts/clock.js';
import { systemClock } from '../contracts/clock.js';
import { EasyserveError, ExitCode } from '../contracts/errors.js';
import { withDiskErrors } from './disk-error.js';
import { FileLock, type HeldFileLock, type LockRecord, readLockRecord } from './file-lock.js';
import { isProcessAlive } from './process-identity.js';
import { isSocketAnswering } from './socket-probe.js';
import type { StateFolder } from './state-folder.js';

/** systemd-tmpfiles empties /tmp of what nobody touched for ten days; a site runs longer. */
const touchPeriodMs = 12 * 60 * 60 * 1000;

/**
 * Makes this process the one instance of the folder; the launcher opens nothing before it.
 *
 * Leftovers of an instance that died (pid file, socket, run/, spool/) are removed.
 * Throws EasyserveError `already-running` that names the pid of the live one, `disk-full`, `disk-read-only`.
 */
export async function acquireInstance(
  folder: StateFolder,
  clock: Clock = systemClock,
): Promise<InstanceLock> {
  return withDiskErrors(folder.path, async () => {
    const held = await takePidFile(folder);
    try {
      const hadLeftovers = await clean(folder);
      await mkdir(folder.runFolder, { mode: 0o700 });
      await mkdir(folder.spoolFolder, { mode: 0o700 });
      return new InstanceLock(folder, held, { recovered: held.isTakenOver || hadLeftovers, clock });
    } catch (error) {
      await held.release();
      throw error;
    }
  });
}

/** What the pid file of a folder says; undefined where there is none. */
export async function readInstance(folder: StateFolder): Promise<LockRecord | undefined> {
  return readLockRecord(folder.pidFile);
}

/** Held by a running instance until release(). */
export class InstanceLock {
  /** Whether a dead instance had left something. */
  readonly recovered: boolean;
  readonly #folder: StateFolder;
  readonly #held: HeldFileLock;
  readonly #stopTouching: () => void;

  constructor(
    folder: StateFolder,
    held: HeldFileLock,
    { recovered, clock }: { recovered: boolean; clock: Clock },
  ) {
    this.#folder = folder;
    this.#held = held;
    this.recovered = recovered;
    this.#stopTouching = clock.every(touchPeriodMs, () => void this.#touch());
  }

  /** Removes socket, sockets of application processes and spooled bodies, and the pid file last. */
  async release(): Promise<void> {
    this.#stopTouching();
    await clean(this.#folder);
    await removeControlSocketLink(this.#folder.controlSocketLink);
    await this.#held.release();
  }

  async #touch(): Promise<void> {
    const now = new Date();
    const { path: folder, controlSocket, pidFile, logFile, runFolder, spoolFolder } = this.#folder;
    for (const path of [folder, controlSocket, pidFile, logFile, runFolder, spoolFolder]) {
      // The log is missing without --daemon, and a folder that somebody deleted can't be kept fresh.
      await utimes(path, now, now).catch(() => undefined);
    }
  }
}

// Private

async function takePidFile(folder: StateFolder): Promise<HeldFileLock> {
  // Pids mean nothing across containers that share the folder, and a pid file may have been deleted: the socket decides.
  const isAnswering = () => isSocketAnswering(folder.controlSocket);
  if ((await readInstance(folder)) === undefined && (await isAnswering())) throw alreadyRunning('');
  const isGone = async (holder: LockRecord) => !(await isProcessAlive(holder)) && !(await isAnswering());
  const taken = await new FileLock(folder.pidFile, isGone).tryTake();
  if ('held' in taken) return taken.held;
  const { holder } = taken;
  if (await isProcessAlive(holder)) throw alreadyRunning(` (process ${holder.pid})`);
  throw alreadyRunning(holder.pid > 0 ? ` (process ${holder.pid}, perhaps in another container)` : '');
}

function alreadyRunning(who: string): EasyserveError {
  return new EasyserveError(
    'already-running',
    ExitCode.alreadyRunning,
    `This folder is served already${who}.`,
    { hint: '`easyserve reload` to bring in what has changed, `easyserve stop` to end it' },
  );
}

/** Whether there was anything to remove. */
async function clean(folder: StateFolder): Promise<boolean> {
  let wasAny = false;
  for (const path of [folder.controlSocket, folder.runFolder, folder.spoolFolder]) {
    wasAny = (await removeLeftover(path)) || wasAny;
  }
  return wasAny;
}

/** There may be a socket in its place by now: an instance that was started under the real path. */
async function removeControlSocketLink(path: string | undefined): Promise<void> {
  if (path === undefined) return;
  const found = await lstat(path).catch(() => undefined);
  if (found?.isSymbolicLink()) await rm(path, { force: true });
}

async function removeLeftover(path: string): Promise<boolean> {
  try {
    await rm(path, { recursive: true });
    return true;
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return false;
    throw new EasyserveError(
      'state-folder-unusable',
      ExitCode.unexpected,
      `${path}, left by an earlier instance, cannot be removed.`,
      { hint: `sudo rm -r ${path}`, cause: error },
    );
  }
}

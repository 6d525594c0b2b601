import { randomUUID } from 'node:crypto';
import { lstat, mkdir, readdir, readFile, rename, rm, utimes, writeFile } from 'node:fs/promises';
import { basename, dirname, join } from 'node:path';
import type { Clock } from '../contracts/clock.js';
import { systemClock } from '../contracts/clock.js';
import { EasyserveError, ExitCode } from '../contracts/errors.js';
import { linkOnce } from './link-once.js';
import type { ProcessIdentity } from './process-identity.js';
import { identifyProcess, isProcessAlive } from './process-identity.js';
import { isSocketAnswering } from './socket-probe.js';
import type { StateFolder } from './state-folder.js';

/** The content of the pid file. */
export interface InstanceRecord extends ProcessIdentity {
  /** Tells two records of the same process apart. */
  readonly nonce: string;
}

const unreadable = 'unreadable';

/** systemd-tmpfiles empties /tmp of what nobody touched for ten days; a site runs longer. */
const touchPeriodMs = 12 * 60 * 60 * 1000;

/**
 * Makes this process the one instance of the folder. Used by the launcher before anything else is opened.
 *
 * Leftovers of an instance that died (pid file, socket, run/, spool/) are removed.
 * Throws EasyserveError `already-running` that names the pid of the live one.
 */
export async function acquireInstance(
  folder: StateFolder,
  options: { pid?: number; clock?: Clock } = {},
): Promise<InstanceLock> {
  const identity = await identifyProcess(options.pid ?? process.pid);
  const own: InstanceRecord = { ...identity, nonce: randomUUID() };
  const recovered = await new PidFile(folder).take(own);
  const hadLeftovers = await clean(folder);
  await mkdir(folder.runFolder, { mode: 0o700 });
  await mkdir(folder.spoolFolder, { mode: 0o700 });
  return new InstanceLock(folder, own, recovered || hadLeftovers, options.clock ?? systemClock);
}

/** What the pid file of a folder says; undefined where there is none. Used by `easyserve stop`, which waits for that process. */
export async function readInstance(folder: StateFolder): Promise<InstanceRecord | undefined> {
  return readRecord(folder.pidFile);
}

/** Held by a running instance until release(). */
export class InstanceLock {
  /** Whether a dead instance had left something. */
  readonly recovered: boolean;
  readonly #folder: StateFolder;
  readonly #own: InstanceRecord;
  readonly #stopTouching: () => void;

  constructor(folder: StateFolder, own: InstanceRecord, recovered: boolean, clock: Clock) {
    this.#folder = folder;
    this.#own = own;
    this.recovered = recovered;
    this.#stopTouching = clock.every(touchPeriodMs, () => void this.#touch());
  }

  /** Removes socket, sockets of application processes and spooled bodies, and the pid file last. */
  async release(): Promise<void> {
    this.#stopTouching();
    await clean(this.#folder);
    await removeSignpost(this.#folder.signpost);
    const holder = await readRecord(this.#folder.pidFile);
    if (holder?.nonce === this.#own.nonce) await rm(this.#folder.pidFile, { force: true });
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

/**
 * The pid file as a lock without flock(2), which Node lacks.
 *
 * A fresh file is linked into place, so it is whole from the first moment and only one of two starters gets it. A dead
 * holder's file must not simply be deleted: the second of two starters would delete the first one's new file. The right to
 * replace the record X belongs to who makes the file `<pid file>.after-X`, once. Should that one die half-way, its record in
 * turn is succeeded by `.after-<its nonce>`; so the holder is the end of a chain that begins at the pid file.
 * A link made to a record that was replaced meanwhile gives no right: the start of the chain is read again after each link.
 */
class PidFile {
  readonly #path: string;
  readonly #folder: StateFolder;

  constructor(folder: StateFolder) {
    this.#path = folder.pidFile;
    this.#folder = folder;
  }

  /** Resolves with whether a dead instance's record was replaced. */
  async take(own: InstanceRecord): Promise<boolean> {
    const draft = `${this.#path}.new-${own.nonce}`;
    await writeFile(draft, `${JSON.stringify(own)}\n`, {
      flag: 'wx',
      mode: 0o600,
      flush: true, // a record that is linked is whole, also after a power cut
    });
    try {
      for (;;) {
        const first = await readRecord(this.#path);
        if (first === undefined) {
          await this.#refuseIfAnswering('');
          if (await linkOnce(draft, this.#path)) return false;
          continue;
        }
        const last = await this.#endOfChain(first);
        // A record that was replaced meanwhile may have got a claim that gives no right, and whose maker is about to see it.
        if ((await readRecord(this.#path))?.nonce !== first.nonce) continue;
        await this.#refuseIfAlive(last);
        const claim = this.#claimOn(last);
        if (!(await linkOnce(draft, claim))) continue;
        if ((await readRecord(this.#path))?.nonce === first.nonce) {
          await rename(draft, this.#path);
          await this.#sweep(own);
          return true;
        }
        await rm(claim);
      }
    } finally {
      await rm(draft, { force: true });
    }
  }

  #claimOn(record: InstanceRecord): string {
    return `${this.#path}.after-${record.nonce}`;
  }

  async #endOfChain(first: InstanceRecord): Promise<InstanceRecord> {
    let last = first;
    for (;;) {
      const next = await readRecord(this.#claimOn(last));
      if (next === undefined) return last;
      // Its claim would be itself, and whose it was can't be told.
      if (next.nonce === unreadable) throw unreadableClaim(this.#claimOn(last));
      last = next;
    }
  }

  async #refuseIfAlive(holder: InstanceRecord): Promise<void> {
    if (await isProcessAlive(holder)) throw alreadyRunning(` (process ${holder.pid})`);
    await this.#refuseIfAnswering(
      holder.pid > 0 ? ` (process ${holder.pid}, perhaps in another container)` : '',
    );
  }

  /** The last word: pids mean nothing across containers that share the folder, and a pid file may have been deleted. */
  async #refuseIfAnswering(who: string): Promise<void> {
    if (await isSocketAnswering(this.#folder.controlSocket)) throw alreadyRunning(who);
  }

  /** Claims and drafts that dead starters left. A live one's are its own business. */
  async #sweep(own: InstanceRecord): Promise<void> {
    const prefix = `${basename(this.#path)}.`;
    for (const name of await readdir(dirname(this.#path))) {
      if (!name.startsWith(prefix)) continue;
      const path = join(dirname(this.#path), name);
      const record = await readRecord(path);
      // Unreadable: a draft that is being written at this moment.
      if (record === undefined || record.nonce === unreadable) continue;
      if (record.nonce === own.nonce || !(await isProcessAlive(record))) await rm(path, { force: true });
    }
  }
}

function alreadyRunning(who: string): EasyserveError {
  return new EasyserveError(
    'already-running',
    ExitCode.alreadyRunning,
    `This folder is served already${who}.`,
    { hint: '`easyserve reload` to bring in what has changed, `easyserve stop` to end it' },
  );
}

function unreadableClaim(path: string): EasyserveError {
  return new EasyserveError(
    'state-folder-unusable',
    ExitCode.unexpected,
    `${path}, by which an earlier start took over, is damaged.`,
    { hint: `rm ${path}` },
  );
}

/** Undefined where the file is missing. An unreadable record (an empty file after a power cut) counts as a dead process's. */
async function readRecord(path: string): Promise<InstanceRecord | undefined> {
  let text: string;
  try {
    text = await readFile(path, 'utf8');
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return undefined;
    throw error;
  }
  return parseRecord(text) ?? { pid: 0, nonce: unreadable };
}

function parseRecord(text: string): InstanceRecord | undefined {
  try {
    const record = JSON.parse(text) as InstanceRecord;
    return Number.isInteger(record.pid) && /^[\w-]+$/.test(record.nonce) ? record : undefined;
  } catch {
    return undefined;
  }
}

/** Whether there was anything to remove. */
async function clean(folder: StateFolder): Promise<boolean> {
  let wasAny = false;
  for (const path of [folder.controlSocket, folder.runFolder, folder.spoolFolder]) {
    wasAny = (await removeLeftover(path)) || wasAny;
  }
  return wasAny;
}

/** An instance that was started under the real path meanwhile has its socket in that place. */
async function removeSignpost(path: string | undefined): Promise<void> {
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

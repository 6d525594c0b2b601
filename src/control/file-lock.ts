import { randomUUID } from 'node:crypto';
import { readdir, readlink, rename, rm, utimes } from 'node:fs/promises';
import { hostname } from 'node:os';
import { basename, dirname, join } from 'node:path';
import { EasyserveError, ExitCode } from '../contracts/errors.js';
import { readTextFile } from '../contracts/read-file.js';
import { identifyProcess, type ProcessIdentity } from './process-identity.js';
import { createAtomically } from './write-atomically.js';

/** The content of a lock file. */
export interface LockRecord extends ProcessIdentity {
  /** Tells two records of the same process apart. */
  readonly nonce: string;
  /** The machine, and the container in it: a pid means nothing elsewhere. */
  readonly machine?: string | undefined;
}

/** Whether the process that wrote the record at `path` holds nothing any more. */
export type IsGone = (holder: LockRecord, path: string) => Promise<boolean>;

const unreadableNonce = 'unreadable';

/** What readTextFile says of a FIFO, a socket, or a file that is far too large. */
const noFile: ReadonlySet<string> = new Set(['EINVAL', 'ENXIO', 'EFBIG']);

/**
 * A file as a lock between processes, without flock(2), which Node lacks.
 *
 * It is linked into place, so it is whole from the first moment and only one of two takers gets it. The file of a dead holder must not
 * simply be deleted: the second of two takers would delete the first one's new file. The right to replace the record X belongs
 * to who makes the file `<path>.after-X`, once, and renames it. Should that process die half-way, its record in turn is
 * succeeded by `.after-<its nonce>`; so the holder is the end of a chain that begins at the lock file.
 * A claim on a record that was replaced meanwhile gives no right: the start of the chain is read again after each claim.
 */
export class FileLock {
  readonly #path: string;
  readonly #isGone: IsGone;

  constructor(path: string, isGone: IsGone) {
    this.#path = path;
    this.#isGone = isGone;
  }

  /**
   * The lock, or who holds it. Throws what the file system says, and EasyserveError `state-folder-unusable` for a damaged claim;
   * nothing is held then.
   */
  async tryTake(): Promise<{ readonly held: HeldFileLock } | { readonly holder: LockRecord }> {
    const nonce = randomUUID();
    const own: LockRecord = { ...(await identifyProcess(process.pid)), nonce, machine: await ownMachine() };
    const content = `${JSON.stringify(own)}\n`;
    for (;;) {
      const first = await readLockRecord(this.#path);
      if (first === undefined) {
        if (await createAtomically(this.#path, content)) {
          return { held: new HeldFileLock(this.#path, { nonce, isTakenOver: false }) };
        }
        continue;
      }
      const last = await this.#endOfChain(first);
      // The claim on a record that was replaced meanwhile gives no right, and its maker is about to see that.
      if (!(await isHeldBy(this.#path, first.nonce))) continue;
      if (!(await this.#isGone(last.record, last.path))) return { holder: last.record };
      if (await this.#succeed(first, last.record, content)) {
        await this.#sweep();
        return { held: new HeldFileLock(this.#path, { nonce, isTakenOver: true }) };
      }
    }
  }

  // Private

  /** False: somebody else was faster. */
  async #succeed(first: LockRecord, last: LockRecord, content: string): Promise<boolean> {
    const claim = this.#claimOn(last);
    if (!(await createAtomically(claim, content))) return false;
    try {
      if (!(await isHeldBy(this.#path, first.nonce))) return false;
      await rename(claim, this.#path);
      return true;
    } finally {
      await rm(claim, { force: true });
    }
  }

  async #endOfChain(first: LockRecord): Promise<{ record: LockRecord; path: string }> {
    let last = { record: first, path: this.#path };
    for (;;) {
      const path = this.#claimOn(last.record);
      const record = await readLockRecord(path);
      if (record === undefined) return last;
      // The claim on it would be itself, and whose it was can't be told.
      if (record.nonce === unreadableNonce) throw unreadableClaim(path);
      last = { record, path };
    }
  }

  #claimOn({ nonce }: LockRecord): string {
    return `${this.#path}.after-${nonce}`;
  }

  /** Claims and drafts that dead takers left; those of a live taker are still in use. */
  async #sweep(): Promise<void> {
    const prefix = `${basename(this.#path)}.`;
    for (const name of await readdir(dirname(this.#path))) {
      if (!name.startsWith(prefix)) continue;
      const path = join(dirname(this.#path), name);
      const record = await readLockRecord(path);
      // Unreadable: a draft that is being written at this moment.
      if (record === undefined || record.nonce === unreadableNonce) continue;
      if (await this.#isGone(record, path)) await rm(path, { force: true });
    }
  }
}

/** Held until release(). */
export class HeldFileLock {
  /** Whether a dead holder's record was replaced. */
  readonly isTakenOver: boolean;
  readonly #path: string;
  readonly #nonce: string;

  constructor(path: string, { nonce, isTakenOver }: { nonce: string; isTakenOver: boolean }) {
    this.#path = path;
    this.#nonce = nonce;
    this.isTakenOver = isTakenOver;
  }

  /** Shows others that the holder lives. */
  async touch(): Promise<void> {
    const now = new Date();
    if (await isHeldBy(this.#path, this.#nonce)) await utimes(this.#path, now, now);
  }

  /** The file of a successor stays. */
  async release(): Promise<void> {
    if (await isHeldBy(this.#path, this.#nonce)) await rm(this.#path, { force: true });
  }
}

/**
 * Undefined where the file is missing. An unreadable record (an empty file after a power cut, or no file at all) is that of no
 * process.
 */
export async function readLockRecord(path: string): Promise<LockRecord | undefined> {
  let text: string;
  try {
    text = await readTextFile(path);
  } catch (error) {
    const { code = '' } = error as NodeJS.ErrnoException;
    if (code === 'ENOENT') return undefined;
    if (!noFile.has(code)) throw error;
    return { pid: 0, nonce: unreadableNonce };
  }
  return parseRecord(text) ?? { pid: 0, nonce: unreadableNonce };
}

/** Containers of one machine may have its host name and yet pids of their own (pid_namespaces(7)). */
export async function ownMachine(): Promise<string> {
  const namespace = await readlink('/proc/self/ns/pid').catch(() => '');
  return `${hostname()} ${namespace}`;
}

// Private

async function isHeldBy(path: string, nonce: string): Promise<boolean> {
  return (await readLockRecord(path))?.nonce === nonce;
}

function parseRecord(text: string): LockRecord | undefined {
  try {
    const record = JSON.parse(text) as LockRecord;
    return Number.isInteger(record.pid) && /^[\w-]+$/.test(record.nonce) ? record : undefined;
  } catch {
    return undefined;
  }
}

function unreadableClaim(path: string): EasyserveError {
  return new EasyserveError(
    'state-folder-unusable',
    ExitCode.unexpected,
    `${path}, by which an earlier process took over, is damaged.`,
    { hint: `rm ${path}` },
  );
}

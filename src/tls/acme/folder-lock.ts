import { randomUUID } from 'node:crypto';
import { readFile, readlink, rename, rm, stat, utimes, writeFile } from 'node:fs/promises';
import { hostname } from 'node:os';
import type { Clock } from '../../contracts/clock.js';
import { linkOnce } from '../../control/link-once.js';

/** What stands in a lock file. */
interface Holder {
  readonly nonce: string;
  readonly pid: number;
  /** The machine, and the container in it: a pid means nothing elsewhere. */
  readonly place: string;
}

const heartbeatMs = 5_000;
/** A holder whose file was not touched for so long is gone, or hangs. Far more than any pause of a busy machine. */
const staleAfterMs = 60_000;

/**
 * A lock between processes, perhaps on several machines that share a folder. Used by tls/certificate-task around an order.
 *
 * A file that is linked into place, so that only one gets it and it is whole from the first moment. The holder touches it while it lives.
 * It is taken over when its process is gone (same machine), or when nobody touched it for a minute by the watcher's own clock,
 * since the clocks of two machines differ.
 */
export class FolderLock {
  readonly #path: string;
  readonly #clock: Clock;
  /** The holder that was seen last, the time of its last touch, and when we first saw that one. */
  #seen: { readonly nonce: string; readonly touchedMs: number; readonly sinceMs: number } | undefined;

  constructor(path: string, clock: Clock) {
    this.#path = path;
    this.#clock = clock;
  }

  /** undefined while another process holds it: try again later. Throws what the file system says. */
  async tryTake(): Promise<HeldLock | undefined> {
    const own: Holder = { nonce: randomUUID(), pid: process.pid, place: await ownPlace() };
    const draft = `${this.#path}.${own.nonce}.new`;
    try {
      await writeFile(draft, `${JSON.stringify(own)}\n`, { flag: 'wx', mode: 0o600 });
      const isTaken = (await linkOnce(draft, this.#path)) || (await this.#takeOver(draft, own.place));
      return isTaken ? new HeldLock(this.#path, own.nonce, this.#clock) : undefined;
    } finally {
      await rm(draft, { force: true });
    }
  }

  // Private

  /** Puts the draft in the place of a lock whose holder is gone; false: it isn't, or somebody else is about to. */
  async #takeOver(draft: string, place: string): Promise<boolean> {
    const holder = await readHolder(this.#path);
    if (holder === undefined) return linkOnce(draft, this.#path);
    if (!(await this.#isStale(holder, place))) return false;
    // One at a time: of two that replace what they have both seen, the second would replace the first one's new lock.
    const claim = `${this.#path}.claim`;
    if (!(await linkOnce(draft, claim))) {
      await removeAbandoned(claim, place);
      return false;
    }
    try {
      if ((await readHolder(this.#path))?.nonce !== holder.nonce) return false;
      // In one step: where the name were free for a moment, a third one could take it.
      await rename(draft, this.#path);
      return true;
    } finally {
      await rm(claim, { force: true });
    }
  }

  async #isStale(holder: Holder, place: string): Promise<boolean> {
    if (holder.place === place && !isRunning(holder.pid)) return true;
    const touchedMs = (await stat(this.#path).catch(() => undefined))?.mtimeMs ?? 0;
    const nowMs = this.#clock.now();
    if (this.#seen?.nonce !== holder.nonce || this.#seen.touchedMs !== touchedMs) {
      this.#seen = { nonce: holder.nonce, touchedMs, sinceMs: nowMs };
    }
    return nowMs - this.#seen.sinceMs >= staleAfterMs;
  }
}

/** Held until release(). */
export class HeldLock {
  readonly #path: string;
  readonly #nonce: string;
  readonly #stopTouching: () => void;

  constructor(path: string, nonce: string, clock: Clock) {
    this.#path = path;
    this.#nonce = nonce;
    this.#stopTouching = clock.every(heartbeatMs, () => void this.#touch());
  }

  /** Never throws: what can't be removed is taken over by the next one, when this process is gone. */
  async release(): Promise<void> {
    this.#stopTouching();
    if (await this.#isOurs()) await rm(this.#path, { force: true }).catch(() => undefined);
  }

  // Private

  async #touch(): Promise<void> {
    const now = new Date();
    // A folder that is gone, or a disk that fails, shows itself when the certificate is written.
    if (await this.#isOurs()) await utimes(this.#path, now, now).catch(() => undefined);
  }

  async #isOurs(): Promise<boolean> {
    return (await readHolder(this.#path).catch(() => undefined))?.nonce === this.#nonce;
  }
}

/** Left by a process that ended in the middle of a takeover. */
async function removeAbandoned(claim: string, place: string): Promise<void> {
  const holder = await readHolder(claim);
  if (holder === undefined) return;
  const touchedMs = (await stat(claim).catch(() => undefined))?.mtimeMs ?? Date.now();
  const isAbandoned = holder.place === place ? !isRunning(holder.pid) : Date.now() - touchedMs > staleAfterMs;
  if (isAbandoned) await rm(claim, { force: true });
}

/** undefined where there is none. What is no holder counts as one that is nowhere: it becomes stale. */
async function readHolder(path: string): Promise<Holder | undefined> {
  let text: string;
  try {
    text = await readFile(path, 'utf8');
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return undefined;
    throw error;
  }
  try {
    const { nonce, pid, place } = JSON.parse(text);
    if (typeof nonce === 'string' && typeof pid === 'number' && typeof place === 'string') {
      return { nonce, pid, place };
    }
  } catch {
    // Not written by us, or damaged: below.
  }
  return { nonce: `unreadable ${text.slice(0, 80)}`, pid: 0, place: '' };
}

/** Containers of one machine may have its host name and yet pids of their own (pid_namespaces(7)). */
async function ownPlace(): Promise<string> {
  const namespace = await readlink('/proc/self/ns/pid').catch(() => '');
  return `${hostname()} ${namespace}`;
}

function isRunning(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === 'EPERM';
  }
}

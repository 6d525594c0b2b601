import { stat } from 'node:fs/promises';
import type { Clock } from '../../contracts/clock.js';
import { FileLock, type HeldFileLock, type LockRecord, ownMachine } from '../../control/file-lock.js';
import { isProcessAlive } from '../../control/process-identity.js';

const heartbeatMs = 5_000;
/** A holder whose file was not touched for so long is gone, or hangs. Far more than any pause of a busy machine. */
const staleAfterMs = 60_000;

/**
 * Lets one process order a certificate at a time, perhaps of several machines that share the folder.
 *
 * The holder touches the file while it lives. It is taken over when its process is gone (same machine), or when nobody touched
 * it for a minute by the watcher's own clock, because the clocks of two machines differ.
 */
export class OrderLock {
  readonly #file: FileLock;
  readonly #clock: Clock;
  /** The holder that was seen last, the time of its last touch, and when we first saw that one. */
  #seen: { readonly nonce: string; readonly touchedMs: number; readonly sinceMs: number } | undefined;

  constructor(path: string, clock: Clock) {
    this.#file = new FileLock(path, (holder, its) => this.#isGone(holder, its));
    this.#clock = clock;
  }

  /** Undefined while another process holds it: try again later. Throws as FileLock.tryTake does. */
  async tryTake(): Promise<HeldOrderLock | undefined> {
    const taken = await this.#file.tryTake();
    return 'held' in taken ? new HeldOrderLock(taken.held, this.#clock) : undefined;
  }

  // Private

  async #isGone(holder: LockRecord, path: string): Promise<boolean> {
    if (holder.machine === (await ownMachine()) && !(await isProcessAlive(holder))) return true;
    const touchedMs = (await stat(path).catch(() => undefined))?.mtimeMs ?? 0;
    const nowMs = this.#clock.now();
    if (this.#seen?.nonce !== holder.nonce || this.#seen.touchedMs !== touchedMs) {
      this.#seen = { nonce: holder.nonce, touchedMs, sinceMs: nowMs };
    }
    return nowMs - this.#seen.sinceMs >= staleAfterMs;
  }
}

/** Held until release(). */
export class HeldOrderLock {
  readonly #file: HeldFileLock;
  readonly #stopTouching: () => void;

  constructor(file: HeldFileLock, clock: Clock) {
    this.#file = file;
    // A folder that is gone, or a disk that fails, shows itself when the certificate is written.
    this.#stopTouching = clock.every(heartbeatMs, () => void file.touch().catch(() => undefined));
  }

  /** Never throws: what can't be removed is taken over by the next one, when this process is gone. */
  async release(): Promise<void> {
    this.#stopTouching();
    await this.#file.release().catch(() => undefined);
  }
}

import { stat } from 'node:fs/promises';
import type { Clock } from '../../contracts/clock.js';
import { FileLock, type LockRecord, ownMachine } from '../../control/file-lock.js';
import { isProcessAlive } from '../../control/process-identity.js';

const heartbeatMs = 5_000;
/** A holder whose file was not touched for so long is gone, or hangs. Far more than any pause of a busy machine. */
const staleAfterMs = 60_000;

/** Held until release(). */
export interface HeldOrderLock {
  /** Never throws: what can't be removed is taken over by the next one, when this process is gone. */
  release(): Promise<void>;
}

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
    if (!('held' in taken)) return undefined;
    const { held } = taken;
    // A folder that is gone, or a disk that fails, shows itself when the certificate is written.
    const stopTouching = this.#clock.every(heartbeatMs, () => void held.touch().catch(() => undefined));
    const release = async (): Promise<void> => {
      stopTouching();
      await held.release().catch(() => undefined);
    };
    return { release };
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

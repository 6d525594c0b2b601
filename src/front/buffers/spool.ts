import { unlink } from 'node:fs/promises';
import { join } from 'node:path';
import type { Log } from '../../log/log.js';
import type { BufferBudget } from './buffer-budget.js';

/** What a request body takes of the budget. */
export interface Holding {
  readonly memoryBytes: number;
  readonly diskBytes: number;
}

/** A request body, as far as the spool knows it. */
export interface HeldBody {
  readonly kind: string;
  readonly path?: string;
  readonly length?: number | undefined;
}

/**
 * Files for what is too large for memory: request bodies that wait for the application, and answers that wait for their clients.
 * One object for each site. An instance empties the folder as it starts.
 */
export class Spool {
  readonly budget: BufferBudget;
  readonly log: Log;
  readonly #folder: string;
  readonly #held = new Map<HeldBody, Holding>();
  #count = 0;

  constructor(folder: string, budget: BufferBudget, log: Log) {
    this.#folder = folder;
    this.budget = budget;
    this.log = log;
  }

  nextPath(): string {
    this.#count += 1;
    return join(this.#folder, `${process.pid}-${this.#count}`);
  }

  /** From now on the body answers for what was taken of the budget, until release(). */
  hold(body: HeldBody, holding: Holding): void {
    this.#held.set(body, holding);
  }

  /** Removes the file of a body, if it has one; the gateway removes it as soon as it has opened it. Does nothing a second time. */
  async release(body: HeldBody): Promise<void> {
    const holding = this.#held.get(body);
    this.#held.delete(body);
    if (body.path !== undefined) await this.remove(body.path);
    this.giveBack(holding);
  }

  giveBack(holding: Holding | undefined): void {
    if (holding === undefined) return;
    if (holding.memoryBytes > 0) this.budget.releaseMemory(holding.memoryBytes);
    if (holding.diskBytes > 0) this.budget.releaseDisk(holding.diskBytes);
  }

  async remove(path: string): Promise<void> {
    try {
      await unlink(path);
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code === 'ENOENT') return;
      this.log.error('spool-not-removed', 'a spooled request body could not be removed', {
        path,
        error: String(error),
      });
    }
  }
}

import type { BufferBudget } from '../buffers/buffer-budget.js';

/** A piece of a file that is worth a read and a write. */
const pieceBytes = 256 * 1024;
/** When so many are lent, to slow clients perhaps, there are only small ones: at most 16 MiB of large ones are lent. */
const maxLent = 64;
const smallBytes = 64 * 1024;
/** When the budget is used up a transfer gets the least that keeps it moving. */
const leastBytes = 16 * 1024;
/** 4 MiB: what a few downloads at a time need. */
const maxKept = 16;

/** Memory that files are read into, lent to one transfer after another. One object a front. */
export class PieceBuffers {
  readonly #budget: BufferBudget;
  readonly #kept: Buffer[] = [];
  #lent = 0;

  constructor(budget: BufferBudget) {
    this.#budget = budget;
  }

  /** For so many bytes, or as many of them as are sent at a time. */
  take(bytes: number): Buffer {
    const buffer = this.#choose(bytes);
    this.#budget.chargeMemory(buffer.length);
    return buffer;
  }

  /** `isFree`: nobody reads or writes it any more. Otherwise it is left to the garbage collector. */
  giveBack(buffer: Buffer, { isFree }: { readonly isFree: boolean }): void {
    this.#budget.releaseMemory(buffer.length);
    if (buffer.length < pieceBytes) return;
    this.#lent -= 1;
    if (isFree && this.#kept.length < maxKept) this.#kept.push(buffer);
  }

  // Private

  #choose(bytes: number): Buffer {
    if (this.#budget.isFull) return Buffer.allocUnsafeSlow(Math.min(bytes, leastBytes));
    if (bytes <= smallBytes || this.#lent >= maxLent) {
      return Buffer.allocUnsafeSlow(Math.min(bytes, smallBytes));
    }
    this.#lent += 1;
    return this.#kept.pop() ?? Buffer.allocUnsafeSlow(pieceBytes);
  }
}

import type { Exchange } from '../exchange.js';
import type { BufferBudget } from './buffer-budget.js';
import type { Spool } from './spool.js';
import { SpoolFile } from './spool-file.js';

/** What a piece costs beside its bytes: an application may send single ones. */
const PIECE_OVERHEAD_BYTES = 256;

/** Of one answer. */
export interface AnswerLimits {
  readonly memoryBytes: number;
  readonly fileBytes: number;
}

/**
 * What an application has sent of an answer and its client has not taken: in memory up to `memoryBytes` and as far as the budget
 * allows, then in a file. Only where neither has room is the application asked to wait.
 *
 * A piece leaves at once where the client takes it. Otherwise they leave in the order of the arrows:
 *
 *   response ← head (memory) ← file ← tail (memory: neither had room, or the file can't be written)
 */
export class AnswerBuffer {
  readonly #exchange: Exchange;
  readonly #spool: Spool;
  readonly #budget: BufferBudget;
  readonly #limits: AnswerLimits;
  #head: Buffer[] = [];
  #file: SpoolFile | undefined;
  #tail: Buffer[] = [];
  /** Of the budget, for what is in head and tail, or with the connection. */
  #chargedBytes = 0;
  #isReading = false;
  #isClosed = false;
  #finish: (() => void) | undefined;
  readonly #onDrained: (() => void)[] = [];
  #cancelWait: () => void = () => {};

  constructor(exchange: Exchange, spool: Spool, limits: AnswerLimits) {
    this.#exchange = exchange;
    this.#spool = spool;
    this.#budget = spool.budget;
    this.#limits = limits;
    const { response } = exchange;
    response.on('drain', () => this.#pump());
    response.once('close', () => this.#close());
  }

  /** False: there is no room for more; go on when onceDrained calls back. */
  write(piece: Buffer): boolean {
    if (this.#isClosed) return true;
    const isFirst = this.#head.length === 0 && this.#file === undefined && this.#tail.length === 0;
    if (isFirst && !this.#exchange.response.writableNeedDrain) {
      this.#charge(piece);
      this.#hand(piece);
    } else this.#keep(piece);
    return this.#hasRoom;
  }

  onceDrained(callback: () => void): void {
    this.#onDrained.push(callback);
    this.#callDrained();
  }

  /** Nothing follows: `finish` is called when the connection has been given all of it. */
  end(finish: () => void): void {
    this.#finish = finish;
    this.#pump();
  }

  // Private

  get #hasRoom(): boolean {
    if (this.#tail.length > 0) return false;
    return this.#file === undefined || this.#file.unwrittenBytes < this.#limits.memoryBytes;
  }

  #keep(piece: Buffer): void {
    if (this.#tail.length === 0) {
      if (this.#file === undefined && this.#takeMemory(piece)) {
        this.#head.push(piece);
        return;
      }
      if (this.#append(piece)) return;
    }
    this.#charge(piece);
    this.#tail.push(piece);
  }

  #takeMemory(piece: Buffer): boolean {
    const bytes = piece.length + PIECE_OVERHEAD_BYTES;
    if (this.#chargedBytes + bytes > this.#limits.memoryBytes || !this.#budget.takeMemory(bytes))
      return false;
    this.#chargedBytes += bytes;
    return true;
  }

  #append(piece: Buffer): boolean {
    this.#file ??= new SpoolFile(this.#spool.nextPath(), {
      budget: this.#budget,
      maxBytes: this.#limits.fileBytes,
      onWritten: () => this.#onWritten(),
    });
    const isTaken = this.#file.append(piece);
    if (!isTaken && this.#file.isEmpty) this.#file = undefined;
    return isTaken;
  }

  #onWritten(): void {
    const error = this.#file?.error;
    if (error !== undefined) {
      this.#spool.log.error('spool-failed', 'an answer could not be written to the spool folder', {
        requestId: this.#exchange.id,
        error: String(error),
      });
    }
    this.#callDrained();
  }

  #pump(): void {
    const { response } = this.#exchange;
    while (!this.#isClosed && !response.writableNeedDrain) {
      const piece = this.#head.shift();
      if (piece !== undefined) this.#hand(piece);
      else if (this.#file !== undefined) {
        void this.#readOn(this.#file);
        return;
      } else if (this.#tail.length > 0) {
        this.#head = this.#tail;
        this.#tail = [];
      } else {
        const finish = this.#finish;
        this.#finish = undefined;
        finish?.();
        break;
      }
    }
    this.#callDrained();
  }

  async #readOn(file: SpoolFile): Promise<void> {
    if (this.#isReading) return;
    this.#isReading = true;
    try {
      const piece = await file.read();
      this.#isReading = false;
      if (this.#isClosed) return;
      if (piece !== undefined) {
        this.#charge(piece);
        this.#head.push(piece);
      } else if (file.isEmpty) {
        this.#file = undefined;
        void file.close();
      }
      this.#pump();
    } catch {
      // A disk that does not give back what it took: the client must see that it isn't all.
      this.#exchange.response.destroy();
    }
  }

  /** Charged before. */
  #hand(piece: Buffer): void {
    this.#exchange.bodyBytes += piece.length;
    this.#exchange.response.write(piece, () => this.#release(piece));
  }

  #charge(piece: Buffer): void {
    this.#chargedBytes += piece.length + PIECE_OVERHEAD_BYTES;
    this.#budget.chargeMemory(piece.length + PIECE_OVERHEAD_BYTES);
  }

  #release(piece: Buffer): void {
    if (this.#isClosed) return;
    this.#chargedBytes -= piece.length + PIECE_OVERHEAD_BYTES;
    this.#budget.releaseMemory(piece.length + PIECE_OVERHEAD_BYTES);
  }

  /** Where neither memory nor disk has room, what others give back counts too. */
  #callDrained(): void {
    if (this.#onDrained.length === 0) return;
    if (this.#hasRoom || this.#moveTail()) {
      this.#cancelWait();
      for (const callback of this.#onDrained.splice(0)) callback();
    } else {
      this.#cancelWait();
      this.#cancelWait = this.#budget.onceReleased(() => this.#callDrained());
    }
  }

  /** True: what had no room has found some. */
  #moveTail(): boolean {
    while (this.#tail[0] !== undefined) {
      const [piece] = this.#tail;
      if (!this.#append(piece)) return false;
      this.#tail.shift();
      this.#release(piece);
    }
    return this.#hasRoom;
  }

  #close(): void {
    this.#isClosed = true;
    this.#cancelWait();
    this.#head = [];
    this.#tail = [];
    this.#finish = undefined;
    this.#budget.releaseMemory(this.#chargedBytes);
    this.#chargedBytes = 0;
    void this.#file?.close();
    this.#file = undefined;
    this.#onDrained.length = 0;
  }
}

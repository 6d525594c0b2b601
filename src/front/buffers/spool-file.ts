import { type FileHandle, open, unlink } from 'node:fs/promises';
import type { BufferBudget } from './buffer-budget.js';

/** Read back at a time: enough for a client that takes little. */
const READ_BYTES = 32 * 1024;
/** Written at a time: about a megabyte as it comes from a socket. */
const MOST_PIECES = 16;

export interface SpoolFileOptions {
  readonly budget: BufferBudget;
  /** In all, whatever has been read of it: the space of what was read is given back with the file. */
  readonly maxBytes: number;
  readonly onWritten: () => void;
}

/**
 * The part of an answer that waits on disk: appended at one end, read at the other.
 *
 * The file has no name once it is open, so that nothing is left of it whatever happens. What is appended is charged as memory until
 * it is written.
 */
export class SpoolFile {
  readonly #path: string;
  readonly #budget: BufferBudget;
  readonly #maxBytes: number;
  readonly #onWritten: () => void;
  #unwritten: Buffer[] = [];
  #unwrittenBytes = 0;
  #writtenBytes = 0;
  #readBytes = 0;
  #takenBytes = 0;
  #handle: FileHandle | undefined;
  #writing: Promise<void> | undefined;
  #error: Error | undefined;

  /** `onWritten`: some of what was appended is on disk, or it is known that it will not be. */
  constructor(path: string, options: SpoolFileOptions) {
    this.#path = path;
    this.#budget = options.budget;
    this.#maxBytes = options.maxBytes;
    this.#onWritten = options.onWritten;
  }

  get unwrittenBytes(): number {
    return this.#unwrittenBytes;
  }

  /** Nothing is left to read. */
  get isEmpty(): boolean {
    return this.#unwritten.length === 0 && this.#readBytes === this.#writtenBytes;
  }

  /** Why it can't be written; what was appended before is still given out. */
  get error(): Error | undefined {
    return this.#error;
  }

  /** False: there is no room for the piece, or it would take more than is left for all others. */
  append(piece: Buffer): boolean {
    const { length } = piece;
    if (this.#error !== undefined || this.#takenBytes > this.#budget.diskBytesLeft) return false;
    if (this.#takenBytes + length > this.#maxBytes || !this.#budget.takeDisk(length)) return false;
    this.#takenBytes += length;
    this.#budget.chargeMemory(length);
    this.#unwritten.push(piece);
    this.#unwrittenBytes += length;
    this.#writing ??= this.#write();
    return true;
  }

  /** The next bytes, once they are there; undefined when all has been read. Rejects when the disk can't be read. */
  async read(): Promise<Buffer | undefined> {
    for (;;) {
      const left = this.#writtenBytes - this.#readBytes;
      if (left > 0 && this.#handle !== undefined) return this.#readWritten(this.#handle, left);
      if (this.#writing === undefined) return this.#takeUnwritten();
      await this.#writing;
    }
  }

  /** Gives everything back. */
  async close(): Promise<void> {
    this.#takeAllUnwritten();
    await this.#writing;
    await this.#handle?.close();
    this.#handle = undefined;
    this.#budget.releaseDisk(this.#takenBytes);
    this.#takenBytes = 0;
  }

  // Private

  async #write(): Promise<void> {
    try {
      this.#handle ??= await this.#open();
      while (this.#unwritten.length > 0) {
        const pieces = this.#unwritten.slice(0, MOST_PIECES);
        for (const piece of await this.#writeSome(this.#handle, pieces)) {
          if (this.#unwritten[0] === piece) this.#forget(piece);
        }
        this.#onWritten();
      }
    } catch (error) {
      this.#error = error as Error;
    }
    this.#writing = undefined;
    this.#onWritten();
  }

  async #open(): Promise<FileHandle> {
    const handle = await open(this.#path, 'wx+', 0o600);
    await unlink(this.#path);
    return handle;
  }

  /** Gives those that are whole on the disk; the others are written again. */
  async #writeSome(handle: FileHandle, pieces: readonly Buffer[]): Promise<readonly Buffer[]> {
    const [first] = pieces as readonly [Buffer];
    let { bytesWritten: left } = await handle.writev(pieces, this.#writtenBytes);
    if (left < first.length) {
      await this.#writeWhole(handle, first);
      return [first];
    }
    const whole: Buffer[] = [];
    for (const piece of pieces) {
      left -= piece.length;
      if (left < 0) break;
      this.#writtenBytes += piece.length;
      whole.push(piece);
    }
    return whole;
  }

  /** write(2) may take less than all of it, as it does on a disk that is just full. */
  async #writeWhole(handle: FileHandle, piece: Buffer): Promise<void> {
    for (let at = 0; at < piece.length; ) {
      const left = piece.length - at;
      const { bytesWritten } = await handle.write(piece, at, left, this.#writtenBytes + at);
      if (bytesWritten === 0) throw new Error('the disk took nothing');
      at += bytesWritten;
    }
    this.#writtenBytes += piece.length;
  }

  #forget(piece: Buffer): void {
    this.#unwritten.shift();
    this.#unwrittenBytes -= piece.length;
    this.#budget.releaseMemory(piece.length);
  }

  async #readWritten(handle: FileHandle, left: number): Promise<Buffer> {
    const buffer = Buffer.allocUnsafeSlow(Math.min(left, READ_BYTES));
    const { bytesRead } = await handle.read(buffer, 0, buffer.length, this.#readBytes);
    if (bytesRead === 0) throw new Error('the spool file is shorter than what was written');
    this.#readBytes += bytesRead;
    return buffer.subarray(0, bytesRead);
  }

  /** Of a file that could not be written. */
  #takeUnwritten(): Buffer | undefined {
    const [piece] = this.#unwritten;
    if (piece !== undefined) this.#forget(piece);
    return piece;
  }

  #takeAllUnwritten(): void {
    this.#budget.releaseMemory(this.#unwrittenBytes);
    this.#unwritten = [];
    this.#unwrittenBytes = 0;
  }
}

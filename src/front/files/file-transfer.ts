import type { FileHandle } from 'node:fs/promises';
import type { ClientResponse } from '../client-message.js';
import { PieceBuffers } from './piece-buffers.js';

/** Which bytes of an open file make the body. */
export interface FilePart {
  readonly handle: FileHandle;
  readonly start: number;
  readonly length: number;
}

const buffers = new PieceBuffers();

/**
 * Sends a part of a file as the body of an answer, no faster than the client takes it: while one piece is on its way to the
 * client the next is read. Used by regular-file.
 *
 * Two buffers are used again and again, for a stream of Node's allocates one for each read, and the kernel has to find memory
 * for each (docs/benchmarks.md has the figures).
 */
export class FileTransfer {
  readonly #response: ClientResponse;
  readonly #handle: FileHandle;
  readonly #end: number;
  readonly #onSent: (bytes: number) => void;
  #position: number;
  /** Settles the wait for the client. */
  #onWritten: (isTaken: boolean) => void = () => {};

  /** `onSent` is told of each piece that goes to the client. */
  constructor(
    response: ClientResponse,
    { handle, start, length }: FilePart,
    onSent: (bytes: number) => void,
  ) {
    this.#response = response;
    this.#handle = handle;
    this.#position = start;
    this.#end = start + length;
    this.#onSent = onSent;
    response.once('close', () => this.#onWritten(false));
  }

  /**
   * True when all is sent; false when the client has gone. Rejects when the file can't be read, or has become shorter. The
   * handle is the caller's to close: nothing reads from it any more.
   */
  async run(): Promise<boolean> {
    const lent: Buffer[] = [];
    let isTaken = false;
    try {
      let reading = this.#readNext(lent, 0);
      for (let turn = 1; ; turn += 1) {
        const piece = await reading;
        const isLast = this.#position === this.#end;
        if (!isLast) {
          reading = this.#readNext(lent, turn % 2);
          reading.catch(() => {}); // it is awaited after the client
        }
        isTaken = await this.#write(piece);
        if (isLast) return isTaken;
        if (!isTaken) {
          await reading;
          return false;
        }
      }
    } finally {
      // What a client has not taken may lie with its connection still.
      for (const buffer of lent) buffers.giveBack(buffer, isTaken);
    }
  }

  // Private

  async #readNext(lent: Buffer[], which: number): Promise<Buffer> {
    const left = this.#end - this.#position;
    lent[which] ??= buffers.take(left);
    const buffer = lent[which];
    const { bytesRead } = await this.#handle.read(buffer, 0, Math.min(buffer.length, left), this.#position);
    if (bytesRead === 0) throw new Error(`the file ends at ${this.#position}, not at ${this.#end}`);
    this.#position += bytesRead;
    return buffer.subarray(0, bytesRead);
  }

  /** Resolves when the connection has taken it; Node calls back then, for it copies nothing. */
  #write(piece: Buffer): Promise<boolean> {
    return new Promise((resolve) => {
      this.#onWritten = resolve;
      if (this.#response.destroyed) {
        resolve(false);
        return;
      }
      this.#onSent(piece.length);
      this.#response.write(piece, (error) => resolve(!error));
    });
  }
}

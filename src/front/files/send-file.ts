import type { FileHandle } from 'node:fs/promises';
import type { ClientResponse } from '../client-message.js';
import type { Exchange, HeaderList } from '../exchange.js';
import type { PieceBuffers } from './piece-buffers.js';

/** Which bytes of an open file make the body. */
export interface FilePart {
  readonly handle: FileHandle;
  readonly start: number;
  readonly length: number;
}

/**
 * Answers with a part of an open file, or all of it. X-Request-ID and Content-Length are added here, and the handle is closed in
 * any case: when all is sent, when there is nothing to send, or when the client is gone.
 */
export async function respondFromFile(
  exchange: Exchange,
  status: number,
  headers: HeaderList,
  part: FilePart,
): Promise<void> {
  const { response } = exchange;
  if (response.destroyed) return part.handle.close();
  try {
    response.writeHead(status, [...exchange.complete(headers), ...['Content-Length', String(part.length)]]);
  } catch (error) {
    await part.handle.close();
    throw error; // a header that HTTP can't carry
  }
  if (exchange.wantsBody && part.length > 0) await sendBody(exchange, part);
  else response.end();
  await part.handle.close();
}

/**
 * A file that turns out shorter than was announced, or can't be read, cuts the connection: if the answer ended normally, the
 * client would take the beginning of the next response for the rest of this body.
 */
async function sendBody(exchange: Exchange, part: FilePart): Promise<void> {
  const { response, pieceBuffers } = exchange;
  const onSent = (bytes: number): void => {
    exchange.bodyBytes += bytes;
  };
  try {
    if (await new FileTransfer(response, part, pieceBuffers, onSent).run()) response.end();
  } catch {
    response.destroy();
  }
}

/**
 * Sends a part of a file as the body of an answer, no faster than the client takes it: while one piece is on its way to the
 * client the next is read.
 *
 * Two buffers are used again and again, because a stream of Node's allocates one for each read, and the kernel has to find memory
 * for each (docs/benchmarks.md has the figures).
 */
export class FileTransfer {
  readonly #response: ClientResponse;
  readonly #handle: FileHandle;
  readonly #end: number;
  readonly #buffers: PieceBuffers;
  readonly #onSent: (bytes: number) => void;
  #position: number;
  /** Settles the wait for the client. */
  #onWritten: (isTaken: boolean) => void = () => {};

  /** `onSent` is told of each piece that goes to the client. */
  constructor(
    response: ClientResponse,
    { handle, start, length }: FilePart,
    buffers: PieceBuffers,
    onSent: (bytes: number) => void,
  ) {
    this.#response = response;
    this.#handle = handle;
    this.#position = start;
    this.#end = start + length;
    this.#buffers = buffers;
    this.#onSent = onSent;
    response.once('close', () => this.#onWritten(false));
  }

  /**
   * True when all is sent; false when the client has gone. Rejects when the file can't be read, or has become shorter. Nothing
   * reads from the handle afterwards; the caller closes it.
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
      // A connection that broke may still hold what its client has not taken.
      for (const buffer of lent) this.#buffers.giveBack(buffer, { isFree: isTaken });
    }
  }

  // Private

  async #readNext(lent: Buffer[], which: number): Promise<Buffer> {
    const left = this.#end - this.#position;
    lent[which] ??= this.#buffers.take(left);
    const buffer = lent[which];
    const { bytesRead } = await this.#handle.read(buffer, 0, Math.min(buffer.length, left), this.#position);
    if (bytesRead === 0) throw new Error(`the file ends at ${this.#position}, not at ${this.#end}`);
    this.#position += bytesRead;
    return buffer.subarray(0, bytesRead);
  }

  /** Resolves when the connection has taken the piece; Node calls back only then, because it copies nothing. */
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

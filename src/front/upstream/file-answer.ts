import { type FileHandle, open } from 'node:fs/promises';
import type { Exchange } from '../exchange.js';
import type { FileTarget } from './gateway-connection.js';

/** A file that the front sends in place of the application: opened first, so that it may be deleted meanwhile. */
export class FileAnswer {
  readonly length: number;
  readonly #handle: FileHandle;
  readonly #offset: number;

  private constructor(handle: FileHandle, offset: number, length: number) {
    this.#handle = handle;
    this.#offset = offset;
    this.length = length;
  }

  /** Undefined when the path is not, or no longer, the file that the application has open. */
  static async open(target: FileTarget): Promise<FileAnswer | undefined> {
    const handle = await openRegular(target.path);
    if (handle === undefined) return undefined;
    const facts = await handle.stat();
    const isSame = facts.dev === target.device && facts.ino === target.inode;
    if (isSame && facts.size >= target.offset + target.length) {
      return new FileAnswer(handle, target.offset, target.length);
    }
    await handle.close();
    return undefined;
  }

  /** For X-Sendfile: all of a file. */
  static async openWhole(path: string): Promise<FileAnswer | undefined> {
    const handle = await openRegular(path);
    if (handle === undefined) return undefined;
    const facts = await handle.stat();
    if (facts.isFile()) return new FileAnswer(handle, 0, facts.size);
    await handle.close();
    return undefined;
  }

  /** Streams into the response, whose head is written already. A file that shrinks meanwhile cuts the connection. */
  sendTo(exchange: Exchange): void {
    const { response } = exchange;
    if (this.length === 0) {
      this.cancel();
      response.end();
      return;
    }
    let left = this.length;
    const source = this.#handle.createReadStream({
      start: this.#offset,
      end: this.#offset + this.length - 1,
      highWaterMark: 256 * 1024,
    });
    source.on('data', (piece) => {
      left -= piece.length;
      exchange.bodyBytes += piece.length;
      if (!response.write(piece)) {
        source.pause();
        response.once('drain', () => source.resume());
      }
    });
    source.once('end', () => (left === 0 ? response.end() : response.destroy()));
    source.once('error', () => response.destroy());
    response.once('close', () => source.destroy());
  }

  cancel(): void {
    void this.#handle.close().catch(() => {}); // closed by its stream already
  }
}

// Private

async function openRegular(path: string): Promise<FileHandle | undefined> {
  try {
    return await open(path, 'r');
  } catch {
    // Not there, or not ours to read: the caller says so, or lets the application read it.
    return undefined;
  }
}

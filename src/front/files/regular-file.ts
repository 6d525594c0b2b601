import { constants, type Stats } from 'node:fs';
import { type FileHandle, open } from 'node:fs/promises';
import type { Exchange, HeaderList } from '../exchange.js';
import { type FilePart, FileTransfer } from './file-transfer.js';

export interface OpenedFile {
  readonly handle: FileHandle;
  readonly stats: Stats;
}

// O_NONBLOCK: opening a FIFO would otherwise hold a thread of libuv's pool until someone writes to it.
// O_NOFOLLOW: callers have resolved the path; a link that appears at its end since then is not followed
// (ELOOP).
const openFlags = constants.O_RDONLY | constants.O_NONBLOCK | constants.O_NOFOLLOW;

/**
 * Opens a file and says what was opened, so that what is announced is what is sent, whatever happens to the
 * name. Used by static and media. Rejects with ENOENT for anything that isn't a regular file; the caller
 * closes the handle.
 */
export async function openRegularFile(path: string): Promise<OpenedFile> {
  const handle = await open(path, openFlags);
  try {
    const stats = await handle.stat();
    if (!stats.isFile()) {
      throw Object.assign(new Error(`${path} is not a regular file`), { code: 'ENOENT' });
    }
    return { handle, stats };
  } catch (error) {
    await handle.close();
    throw error;
  }
}

/**
 * Answers with a part of an open file, or all of it. X-Request-ID and Content-Length are added here, and the
 * handle is closed in any case: when all is sent, when there is nothing to send, or when the client is gone.
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
    response.writeHead(status, [
      ...exchange.ownHeaders,
      ...headers,
      ...['Content-Length', String(part.length)],
    ]);
  } catch (error) {
    await part.handle.close();
    throw error; // a header that HTTP can't carry
  }
  if (exchange.wantsBody && part.length > 0) await sendBody(exchange, part);
  else response.end();
  await part.handle.close();
}

/**
 * A file that turns out shorter than was announced, or can't be read, cuts the connection: ended normally, the client would
 * take the beginning of the next response for the rest of this body.
 */
async function sendBody(exchange: Exchange, part: FilePart): Promise<void> {
  const { response } = exchange;
  const transfer = new FileTransfer(response, part, (bytes) => {
    exchange.bodyBytes += bytes;
  });
  try {
    if (await transfer.run()) response.end();
  } catch {
    response.destroy();
  }
}

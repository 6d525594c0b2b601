import { createHash } from 'node:crypto';
import { constants } from 'node:fs';
import type { FileHandle } from 'node:fs/promises';
import { open } from 'node:fs/promises';

/** Settings files have a few kilobytes; of anything larger, size and time of change stand for the rest. */
const maxReadBytes = 1024 * 1024;

/** Equal for equal content, whichever file holds it. Used by watch/settings-watch to tell a change from a touch. */
export async function fingerprint(path: string): Promise<string> {
  let file: FileHandle | undefined;
  try {
    // O_NONBLOCK: opening a named pipe would wait for its writer (fifo(7)).
    file = await open(path, constants.O_RDONLY | constants.O_NONBLOCK);
    const { size, mtimeMs } = await file.stat();
    const hash = createHash('sha256');
    const content = Buffer.alloc(Math.min(size, maxReadBytes));
    const { bytesRead } = await file.read(content, 0, content.length, 0);
    hash.update(content.subarray(0, bytesRead));
    if (size > maxReadBytes) hash.update(`${size} ${mtimeMs}`);
    return hash.digest('hex');
  } catch (error) {
    return `unreadable: ${(error as NodeJS.ErrnoException).code}`;
  } finally {
    await file?.close();
  }
}

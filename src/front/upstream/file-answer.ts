import { realpath } from 'node:fs/promises';
import { type OpenedFile, openRegularFile } from '../files/open-file.js';
import type { FilePart } from '../files/send-file.js';
import type { FileTarget } from './gateway-request.js';

/**
 * Opens a file that the application hands over, before the application closes it: a temporary one may be gone then.
 *
 * Undefined when the path is not, or no longer, the very file that the application has open, or not ours to read: then
 * the application reads it itself.
 */
export async function openHandedOver(target: FileTarget): Promise<FilePart | undefined> {
  const opened = await openReal(target.path);
  if (opened === undefined) return undefined;
  const { handle, stats } = opened;
  const isSame = stats.dev === target.device && stats.ino === target.inode;
  if (isSame && stats.size >= target.offset + target.length) {
    return { handle, start: target.offset, length: target.length };
  }
  await handle.close();
  return undefined;
}

/** For X-Sendfile: all of a file whose path is resolved already. */
export async function openWhole(path: string): Promise<FilePart | undefined> {
  const opened = await openReal(path);
  return opened === undefined ? undefined : { handle: opened.handle, start: 0, length: opened.stats.size };
}

// Private

async function openReal(path: string): Promise<OpenedFile | undefined> {
  try {
    return await openRegularFile(await realpath(path));
  } catch {
    return undefined; // the caller has another way, or says so in the log
  }
}

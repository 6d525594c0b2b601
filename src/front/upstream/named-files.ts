import { realpath } from 'node:fs/promises';
import { isAbsolute, join, sep } from 'node:path';
import type { Settings } from '../../settings/settings.js';
import { type OpenedFile, openRegularFile } from '../files/open-file.js';
import type { FilePart } from '../files/send-file.js';
import type { AnswerHead } from './answer-head.js';
import type { FileTarget } from './gateway-request.js';

/**
 * Opens a file that the application hands over, before the application closes it: a temporary one may be gone then.
 *
 * Undefined when the path is not, or no longer, the very file that the application has open, or may not be read: then
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

/**
 * Opens the file that X-Sendfile (absolute path below `sendfileRoots`) or X-Accel-Redirect (URL path below one of
 * `accelRoots`, percent-encoded as nginx takes it) names. Undefined when it is outside of every root, or missing.
 */
export async function openSendfile(answer: AnswerHead, settings: Settings): Promise<FilePart | undefined> {
  const path = await findSendfile(answer, settings);
  const opened = path === undefined ? undefined : await openReal(path);
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

async function findSendfile(answer: AnswerHead, settings: Settings): Promise<string | undefined> {
  if (answer.sendfile !== undefined) return findBelow(settings.sendfileRoots, answer.sendfile);
  const url = decode(answer.accelRedirect ?? '');
  for (const [prefix, root] of Object.entries(settings.accelRoots)) {
    if (url?.startsWith(prefix)) return findBelow([root], join(root, url.slice(prefix.length)));
  }
  return undefined;
}

function decode(path: string): string | undefined {
  try {
    return decodeURIComponent(path.split('?', 1)[0] as string);
  } catch {
    return undefined;
  }
}

async function findBelow(roots: readonly string[], path: string): Promise<string | undefined> {
  // What a relative path means depends on the folder that easyserve was started in.
  if (!isAbsolute(path) || path.includes('\0')) return undefined;
  try {
    const real = await realpath(path);
    for (const root of roots) if (real.startsWith((await realpath(root)) + sep)) return real;
  } catch {
    // Missing, or not readable; the caller logs the name.
  }
  return undefined;
}

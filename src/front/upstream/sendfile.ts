import { realpath } from 'node:fs/promises';
import { isAbsolute, join, sep } from 'node:path';
import type { Settings } from '../../settings/settings.js';
import type { AnswerHead } from './answer-head.js';

/**
 * Finds the file that X-Sendfile (absolute path below `sendfileRoots`) or X-Accel-Redirect (URL path below one of
 * `accelRoots`, percent-encoded as nginx takes it) names. Undefined when it is outside of every root, or missing.
 */
export async function findSendfile(answer: AnswerHead, settings: Settings): Promise<string | undefined> {
  if (answer.sendfile !== undefined) return findBelow(settings.sendfileRoots, answer.sendfile);
  const url = decode(answer.accelRedirect ?? '');
  for (const [prefix, root] of Object.entries(settings.accelRoots)) {
    if (url?.startsWith(prefix)) return findBelow([root], join(root, url.slice(prefix.length)));
  }
  return undefined;
}

// Private

function decode(path: string): string | undefined {
  try {
    return decodeURIComponent(path.split('?', 1)[0] as string);
  } catch {
    return undefined;
  }
}

async function findBelow(roots: readonly string[], path: string): Promise<string | undefined> {
  // A relative one would mean something else wherever easyserve was started from.
  if (!isAbsolute(path) || path.includes('\0')) return undefined;
  try {
    const real = await realpath(path);
    for (const root of roots) if (real.startsWith((await realpath(root)) + sep)) return real;
  } catch {
    // Missing, or not ours to see; the caller logs the name.
  }
  return undefined;
}

import { realpath } from 'node:fs/promises';
import { join, sep } from 'node:path';
import type { Log } from '../../log/log.js';
import type { Exchange, Handler } from '../exchange.js';
import { answerOpenedFile } from './answer-file.js';
import { contentTypeOf, isInertType } from './content-type.js';
import type { FilePolicy } from './file-policy.js';
import {
  refuseMethod,
  respondToBadPath,
  respondToFileError,
  respondWithMissingPage,
} from './file-refusals.js';
import { type OpenedFile, openRegularFile } from './open-file.js';
import { StaticFile, toDiskFile } from './static-file.js';
import { decodeUrlPath, isHidden, type LeftAddress, leftMatcher, pathMatcher } from './url-path.js';

export interface ServedFolder {
  /** Path prefix with slashes at both ends, without escapes: `/media/`. */
  readonly prefix: string;
  /** May not exist yet. */
  readonly root: string;
  readonly maxAgeSeconds: number;
  /** Addresses below the prefix that are the application's. */
  readonly except?: readonly LeftAddress[];
  /** Strangers may have put the files there, so none may run script in the site's origin. */
  readonly userContent: boolean;
}

/**
 * Serves a folder whose files come and go: MEDIA_ROOT and .well-known.
 *
 * Each request looks at the disk. The file's real path must lie inside the real root before and after it is opened, and what
 * was opened is what is sent, so a symlink that is swapped in meanwhile leads nowhere. The exception is one that is swapped in and
 * out again between three system calls, by someone who may write to the folder anyway.
 */
export function serveFolder(folder: ServedFolder, log: Log): Handler {
  const isBelow = pathMatcher(folder.prefix);
  const isLeft = leftMatcher(folder.except);
  const onLinkOut = tellOnce(folder, log);
  return (exchange) => {
    if (!isBelow(exchange.path)) return false;
    const path = decodeUrlPath(exchange.path);
    if (isLeft(exchange.path, path)) return false;
    if (refuseMethod(exchange)) return true;
    if (typeof path !== 'string') respondToBadPath(exchange, path);
    else if (isHidden(path.slice(folder.prefix.length))) respondWithMissingPage(exchange);
    else
      giveFile(exchange, folder, path, onLinkOut).catch((error) => respondToFileError(exchange, error, log));
    return true;
  };
}

// Private

/** Other servers follow such links, so whoever made one looks for the reason. Said once: visitors can't fill the log. */
function tellOnce({ root, prefix }: ServedFolder, log: Log): OnLinkOut {
  let isTold = false;
  return (path) => {
    if (isTold) return;
    isTold = true;
    log.warn('folder-link-refused', `a symbolic link that leads out of ${root} is not served`, {
      path,
      hint: `Put what it leads to below ${root}, or give it a prefix of its own with the setting static, as in static = {"${prefix}more/" = "/path/to/folder"}.`,
    });
  };
}

type OnLinkOut = (path: string) => void;

async function giveFile(
  exchange: Exchange,
  folder: ServedFolder,
  path: string,
  onLinkOut: OnLinkOut,
): Promise<void> {
  const opened = await openInside(folder.root, path.slice(folder.prefix.length), onLinkOut);
  if (opened === undefined) {
    respondWithMissingPage(exchange);
    return;
  }
  const disk = toDiskFile(opened.path, opened.stats);
  const file = new StaticFile(path, disk, { policy: policyOf(folder, path) });
  await answerOpenedFile(exchange, file, opened.handle);
}

/** Undefined for what lies outside the root. Rejects with the file system's error. */
async function openInside(
  root: string,
  below: string,
  onLinkOut: OnLinkOut,
): Promise<OpenedFile | undefined> {
  const path = join(root, below);
  const [realRoot, real] = await Promise.all([realpath(root), realpath(path)]);
  if (!real.startsWith(realRoot + sep)) {
    if (real !== realRoot) onLinkOut(path);
    return undefined;
  }
  const opened = await openRegularFile(real);
  if ((await realpath(path).catch(() => undefined)) === real) return opened;
  await opened.handle.close();
  return undefined;
}

function policyOf({ maxAgeSeconds, userContent }: ServedFolder, path: string): FilePolicy {
  // An opaque origin without script: the file is still shown, but it can't act as the site's user.
  const isSandboxed = userContent && !isInertType(contentTypeOf(path));
  return {
    cacheControl: `max-age=${maxAgeSeconds}`,
    headers: isSandboxed ? ['Content-Security-Policy', 'sandbox'] : [],
  };
}

import type { ReadStream } from 'node:fs';
import { realpath } from 'node:fs/promises';
import { join, sep } from 'node:path';
import send from 'send';
import type { Log } from '../../log/log.js';
import type { ClientRequest } from '../client-message.js';
import { respondWithErrorPage } from '../error-page.js';
import type { Exchange, Handler } from '../exchange.js';
import { parseByteRange } from './byte-ranges.js';
import { entityTag, isRangeFresh, wholeSecondsMs } from './conditional.js';
import { contentTypeOf, isInertType } from './content-type.js';
import {
  refuseMethod,
  respondToBadPath,
  respondToFileError,
  respondWithMissingPage,
} from './file-refusals.js';
import { type OpenedFile, openRegularFile } from './regular-file.js';
import { decodeUrlPath, isHidden, pathMatcher } from './url-path.js';

export interface ServedFolder {
  /** Path prefix with slashes at both ends, without escapes: `/media/`. */
  readonly prefix: string;
  /** May not exist yet. */
  readonly root: string;
  readonly maxAgeSeconds: number;
  /** Strangers may have put the files there, so none may run script in the site's origin. */
  readonly userContent: boolean;
}

/**
 * Serves a folder whose files come and go: MEDIA_ROOT and .well-known. Used by pipeline.
 *
 * Each request looks at the disk. The file's real path must lie inside the real root before and after it is
 * opened, and what was opened is what is sent, so a symlink that is swapped in meanwhile leads nowhere, short
 * of one that is swapped in and out again between three system calls by someone who may write to the folder
 * anyway.
 */
export function serveFolder(folder: ServedFolder, log: Log): Handler {
  const isBelow = pathMatcher(folder.prefix);
  return (exchange) => {
    if (!isBelow(exchange.path)) return false;
    if (refuseMethod(exchange)) return true;
    const path = decodeUrlPath(exchange.path);
    if (typeof path !== 'string') {
      respondToBadPath(exchange, path);
      return true;
    }
    if (isHidden(path.slice(folder.prefix.length))) respondWithMissingPage(exchange);
    else giveFile(exchange, folder, path, log).catch((error) => respondToFileError(exchange, error, log));
    return true;
  };
}

// Private

async function giveFile(exchange: Exchange, folder: ServedFolder, path: string, log: Log): Promise<void> {
  const opened = await openInside(folder.root, path.slice(folder.prefix.length));
  if (opened === undefined) {
    respondWithMissingPage(exchange);
  } else if (exchange.response.destroyed || !sendOpened(exchange, opened, log, headersFor(folder, path))) {
    await opened.handle.close();
  }
}

/** Undefined for what lies outside the root. Rejects with the file system's error. */
async function openInside(root: string, below: string): Promise<OpenedFile | undefined> {
  const path = join(root, below);
  const [realRoot, real] = await Promise.all([realpath(root), realpath(path)]);
  if (!real.startsWith(realRoot + sep)) return undefined;
  const opened = await openRegularFile(real);
  if ((await realpath(path).catch(() => undefined)) === real) return opened;
  await opened.handle.close();
  return undefined;
}

function headersFor(folder: ServedFolder, path: string): Record<string, string> {
  const type = contentTypeOf(path);
  const headers: Record<string, string> = {
    'Content-Type': type,
    'Cache-Control': `max-age=${folder.maxAgeSeconds}`,
    'X-Content-Type-Options': 'nosniff',
  };
  // An opaque origin without script: the file is still shown, but it can't act as the site's user.
  if (folder.userContent && !isInertType(type)) headers['Content-Security-Policy'] = 'sandbox';
  return headers;
}

/**
 * `send` does conditions, ranges and the streaming; which file it is and what is said about it is decided
 * here. The answer is whether it streams from the handle, and so closes it.
 */
function sendOpened(
  exchange: Exchange,
  { handle, stats }: OpenedFile,
  log: Log,
  headers: Record<string, string>,
): boolean {
  const { request, response, method } = exchange;
  const etag = entityTag(stats);
  const all = { 'X-Request-ID': exchange.id, ETag: etag, 'Accept-Ranges': 'bytes', ...headers };
  for (const [name, value] of Object.entries(all)) response.setHeader(name, value);
  // send honours Range on HEAD, and a weak tag in If-Range; RFC 9110 sections 14.2 and 13.1.5 say not to.
  const acceptRanges =
    method === 'GET' &&
    isRangeFresh(request.headers, etag, wholeSecondsMs(stats.mtimeMs)) &&
    rewriteRange(request, stats.size);
  // What send doesn't know it passes on to fs.createReadStream.
  const options = { acceptRanges, cacheControl: false, dotfiles: 'allow' as const, index: false, fd: handle };
  const sending = send(request, 'opened', options);
  sending.sendFile = () => sending.send('opened', stats);
  let isStreaming = false;
  sending.on('stream', (stream: ReadStream) => {
    isStreaming = true;
    watchLength(exchange, stream, Number(response.getHeader('Content-Length')));
  });
  sending.on('error', (error: HttpError) =>
    refuse(exchange, error, log, [...setBySend, ...Object.keys(all)]),
  );
  sending.pipe(response);
  return isStreaming;
}

/**
 * Writes the Range header so that `send` reads it as RFC 9110 section 14.1 does: it takes `bytes=5-2`, which means
 * nothing, and `bytes=-99` of a shorter file, which means all of it, for parts that the file doesn't have. The answer is
 * whether there is anything to honour.
 */
function rewriteRange({ headers }: ClientRequest, size: number): boolean {
  const part = headers.range === undefined ? 'whole' : parseByteRange(headers.range, size);
  if (typeof part === 'object') headers.range = `bytes=${part.start}-${part.end}`;
  return part !== 'whole';
}

/** Of send's own; see its setHeader and send methods. */
const setBySend = ['Content-Length', 'Content-Range', 'Last-Modified'];

/** As http-errors makes them. */
interface HttpError extends Error {
  readonly status: number;
  readonly headers?: Readonly<Record<string, string>>;
}

function refuse(exchange: Exchange, error: HttpError, log: Log, preparedHeaders: readonly string[]): void {
  const { response } = exchange;
  if (!response.headersSent) for (const name of preparedHeaders) response.removeHeader(name);
  if (error.status === 412) {
    respondWithErrorPage(exchange, 412, 'This file has changed since.');
  } else if (error.status === 416) {
    const contentRange = error.headers?.['Content-Range'] ?? 'bytes */*';
    respondWithErrorPage(exchange, 416, 'The file has no such part.', ['Content-Range', contentRange]);
  } else {
    respondToFileError(exchange, error, log);
  }
}

/**
 * send ends a response whose file has shrunk as if it were whole; see regular-file for what that does. Nor does it see a client of
 * HTTP/2 leave, and would keep the file open.
 */
function watchLength(exchange: Exchange, stream: ReadStream, announcedBytes: number): void {
  exchange.response.once('close', () => stream.destroy());
  let sentBytes = 0;
  stream.on('data', (chunk) => {
    sentBytes += chunk.length;
    exchange.bodyBytes += chunk.length;
  });
  stream.on('end', () => {
    if (sentBytes !== announcedBytes) exchange.response.destroy();
  });
}

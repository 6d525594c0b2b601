import type { FileHandle } from 'node:fs/promises';
import type { Log } from '../../log/log.js';
import { respondWithErrorPage } from '../error-page.js';
import type { Exchange, HeaderList } from '../exchange.js';
import { type ByteRange, parseByteRange } from './byte-ranges.js';
import { evaluatePreconditions, isRangeFresh } from './conditional.js';
import { headersOfRefusal } from './file-policy.js';
import { respondToFileError } from './file-refusals.js';
import { respondFromFile } from './send-file.js';
import type { StaticBodies, StaticContent } from './static-bodies.js';
import type { Representation, StaticFile } from './static-file.js';

/** Answers one request for a file that is there, with what `bodies` has of it. */
export function answerFile(exchange: Exchange, file: StaticFile, bodies: StaticBodies, log: Log): void {
  const { representation, part } = choose(exchange, file);
  if (isSettled(exchange, file, representation)) return;
  if (part === 'whole' && representation.body !== undefined) {
    representation.wasUsed = true;
    exchange.respond(200, representation.headers, representation.body);
    return;
  }
  bodies
    .fetch(file, representation)
    // Changed on disk since the range was judged: what was asked for is a part of something else.
    .then((content) =>
      sendPart(exchange, file, content, content.representation === representation ? part : 'whole'),
    )
    .catch((error: unknown) => respondToFileError(exchange, error, log));
}

/** The same for a file that is open already. Closes the handle in any case. */
export async function answerOpenedFile(
  exchange: Exchange,
  file: StaticFile,
  handle: FileHandle,
): Promise<void> {
  const { representation, part } = choose(exchange, file);
  if (exchange.response.destroyed || isSettled(exchange, file, representation)) return handle.close();
  await sendPart(exchange, file, { representation, size: file.disk.size, body: handle }, part);
}

/** Answers with all of a body, or these bytes of it. Closes a handle in any case. */
export async function respondWithContent(
  exchange: Exchange,
  status: number,
  headers: HeaderList,
  { body, size }: StaticContent,
  { start, end }: ByteRange = { start: 0, end: size - 1 },
): Promise<void> {
  if (!Buffer.isBuffer(body)) {
    await respondFromFile(exchange, status, headers, { handle: body, start, length: end - start + 1 });
  } else if (!exchange.response.destroyed) {
    exchange.respond(status, headers, body.subarray(start, end + 1));
  }
}

// Private

type AskedPart = ReturnType<typeof parseByteRange>;

interface Choice {
  readonly representation: Representation;
  readonly part: AskedPart;
}

/**
 * Range means something for GET only (RFC 9110 section 14.2). A part is taken from the identity, whatever the client accepts:
 * media players and resumed downloads count the bytes of the file.
 */
function choose({ method, request: { headers } }: Exchange, file: StaticFile): Choice {
  const { identity, modifiedMs, disk } = file;
  if (method === 'GET' && headers.range !== undefined && isRangeFresh(headers, identity.etag, modifiedMs)) {
    const part = parseByteRange(headers.range, disk.size);
    if (part !== 'whole') return { representation: identity, part };
  }
  return { representation: file.choose(headers['accept-encoding']), part: 'whole' };
}

/** Answers 304 or 412 where the preconditions say so. */
function isSettled(
  exchange: Exchange,
  { modifiedMs, tags, policy }: StaticFile,
  { etag, notModifiedHeaders }: Representation,
): boolean {
  const outcome = evaluatePreconditions(exchange.request.headers, etag, modifiedMs, tags);
  if (outcome === 'not-modified') exchange.respond(304, notModifiedHeaders);
  if (outcome === 'failed') {
    respondWithErrorPage(exchange, 412, 'This file has changed since.', {
      headers: headersOfRefusal(policy),
    });
  }
  return outcome !== 'proceed';
}

async function sendPart(
  exchange: Exchange,
  { policy }: StaticFile,
  content: StaticContent,
  part: AskedPart,
): Promise<void> {
  const { representation, size, body } = content;
  if (part === 'whole') return respondWithContent(exchange, 200, representation.headers, content);
  if (part !== 'unsatisfiable') {
    const contentRange = ['Content-Range', `bytes ${part.start}-${part.end}/${size}`];
    return respondWithContent(exchange, 206, [...representation.headers, ...contentRange], content, part);
  }
  if (!Buffer.isBuffer(body)) await body.close();
  const headers = ['Content-Range', `bytes */${size}`, ...headersOfRefusal(policy)];
  respondWithErrorPage(exchange, 416, 'The file has no such part.', { headers });
}

import type { Log } from '../../log/log.js';
import type { Exchange, Handler } from '../exchange.js';
import { answerFile } from './answer-file.js';
import {
  refuseMethod,
  respondToBadPath,
  respondToFileError,
  respondWithMissingPage,
} from './file-refusals.js';
import type { StaticTable } from './static-table.js';
import { decodeUrlPath, leftMatcher, pathMatcher } from './url-path.js';

/**
 * Serves everything under the table's prefix; what is neither in the table nor in its folder is a 404. In an overlay
 * what is not in the table is left to the next handler, because then it is the application's.
 *
 * How a file is answered, by all three handlers of this folder:
 *
 *     serveStatic ┬ StaticTable.get ──┐
 *                 └ .late ┐           │
 *     serveSite ─── LiveFolder.find ──┴─ answerFile ──── StaticBodies.fetch ─┐  from memory, disk, or compressed now
 *     serveFolder ─ openRegularFile ──── answerOpenedFile ───────────────────┴─ Exchange.respond, or respondFromFile
 *                                        conditions, encoding, range
 */
export function serveStatic(table: StaticTable, log: Log): Handler {
  const isBelow = pathMatcher(table.prefix);
  const isLeft = leftMatcher(table.except);
  return (exchange) => {
    if (!isBelow(exchange.path)) return false;
    const url = decodeAddress(exchange.path, table);
    if (isLeft(exchange.path, url)) return false;
    const file = typeof url === 'string' ? table.get(url) : undefined;
    const location = file === undefined && typeof url === 'string' ? table.redirectFrom(url) : undefined;
    if (file === undefined && location === undefined && table.isOverlay) return false;
    if (refuseMethod(exchange)) return true;
    if (typeof url !== 'string') respondToBadPath(exchange, url);
    else if (location !== undefined) redirect(exchange, location, table);
    else if (file !== undefined) answerFile(exchange, file, table.bodies, log);
    else giveLate(exchange, table, url, log).catch((error) => respondToFileError(exchange, error, log));
    return true;
  };
}

// Private

/** A slash at the end is no part of a file's name; decodeUrlPath would refuse it. */
function decodeAddress(path: string, { indexFile }: StaticTable): ReturnType<typeof decodeUrlPath> {
  if (indexFile === undefined || !path.endsWith('/')) return decodeUrlPath(path);
  if (path === '/') return path;
  const folder = decodeUrlPath(path.slice(0, -1));
  return typeof folder === 'string' ? `${folder}/` : folder;
}

/** Relative, and found, as WhiteNoise has it. */
function redirect(exchange: Exchange, location: string, table: StaticTable): void {
  const encoded = location.split('/').map(encodeURIComponent).join('/');
  exchange.respond(302, ['Location', encoded, ...table.redirectHeaders]);
}

async function giveLate(exchange: Exchange, table: StaticTable, url: string, log: Log): Promise<void> {
  const file = await table.findLate(url);
  if (exchange.response.destroyed) return; // the client has gone meanwhile
  if (file === undefined || table.late === undefined) respondWithMissingPage(exchange);
  else answerFile(exchange, file, table.late.bodies, log);
}

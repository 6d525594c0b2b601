import type { Log } from '../../log/log.js';
import type { Handler } from '../exchange.js';
import { answerFile } from './answer-file.js';
import { refuseMethod, respondToBadPath, respondWithMissingPage } from './file-refusals.js';
import type { StaticTable } from './static-table.js';
import { decodeUrlPath, leftMatcher, pathMatcher } from './url-path.js';

/**
 * Serves everything under the table's prefix; what isn't in the table is a 404. With the prefix `/` it is left to the next handler,
 * because then it is the application's.
 *
 * How a file is answered, by all three handlers of this folder:
 *
 *     serveStatic ─ StaticTable.get ──┐
 *     serveSite ─── LiveFolder.find ──┴─ answerFile ──── StaticBodies.fetch ─┐  from memory, disk, or compressed now
 *     serveFolder ─ openRegularFile ──── answerOpenedFile ───────────────────┴─ Exchange.respond, or respondFromFile
 *                                        conditions, encoding, range
 */
export function serveStatic(table: StaticTable, log: Log): Handler {
  const isBelow = pathMatcher(table.prefix);
  const isLeft = leftMatcher(table.except);
  const isOverlay = table.prefix === '/';
  return (exchange) => {
    if (!isBelow(exchange.path)) return false;
    const url = decodeUrlPath(exchange.path);
    if (isLeft(exchange.path, url)) return false;
    const file = typeof url === 'string' ? table.get(url) : undefined;
    if (file === undefined && isOverlay) return false;
    if (refuseMethod(exchange)) return true;
    if (typeof url !== 'string') respondToBadPath(exchange, url);
    else if (file === undefined) respondWithMissingPage(exchange);
    else answerFile(exchange, file, table.bodies, log);
    return true;
  };
}

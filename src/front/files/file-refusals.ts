import type { Log } from '../../log/log.js';
import { respondWithErrorPage } from '../error-page.js';
import type { Exchange } from '../exchange.js';

const missing = new Set(['ENOENT', 'ENOTDIR', 'EISDIR', 'ENAMETOOLONG', 'ELOOP', 'ENXIO']);
const forbidden = new Set(['EACCES', 'EPERM']);
const exhausted = new Set(['EMFILE', 'ENFILE', 'ENOMEM']);

/** Whether an error says no more than that a file isn't there, or may not be read. */
export function isUnavailable(error: unknown): boolean {
  const code = (error as NodeJS.ErrnoException).code ?? '';
  return missing.has(code) || forbidden.has(code);
}

/**
 * Answers for a file that could not be opened or read. A file that may not be read looks like a missing one to the client; only
 * the log tells them apart.
 */
export function respondToFileError(exchange: Exchange, error: unknown, log: Log): void {
  const { response } = exchange;
  const code = (error as NodeJS.ErrnoException).code ?? '';
  if (!missing.has(code)) {
    const message = error instanceof Error ? error.message : String(error);
    log.warn('file-unreadable', message, { requestId: exchange.id, path: exchange.path });
  }
  if (response.destroyed) return;
  if (response.headersSent) {
    response.destroy();
  } else if (isUnavailable(error)) {
    respondWithMissingPage(exchange);
  } else if (exhausted.has(code)) {
    const sentence = 'The server is very busy. Please try again in a moment.';
    respondWithErrorPage(exchange, 503, sentence, { headers: ['Retry-After', '1'] });
  } else {
    respondWithErrorPage(exchange, 500, 'The file could not be read.');
  }
}

export function respondWithMissingPage(exchange: Exchange): void {
  respondWithErrorPage(exchange, 404, 'There is no such file here.');
}

/** Answers for a path that decodeUrlPath refused. */
export function respondToBadPath(exchange: Exchange, status: 400 | 404): void {
  if (status === 404) respondWithMissingPage(exchange);
  else respondWithErrorPage(exchange, 400, 'The address of this page is not well-formed.');
}

/** Files are read, never written: answers anything but GET and HEAD with 405, and says whether it did. */
export function refuseMethod(exchange: Exchange): boolean {
  if (exchange.method === 'GET' || exchange.method === 'HEAD') return false;
  respondWithErrorPage(exchange, 405, 'This address can only be read.', { headers: ['Allow', 'GET, HEAD'] });
  return true;
}

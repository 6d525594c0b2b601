import type { Log } from '../log/log.js';
import { respondWithErrorPage } from './error-page.js';
import type { Exchange } from './exchange.js';

/**
 * A handler that throws is a bug of ours, which must not end the whole site: it is logged, and the client gets a 500, or
 * sees a cut when its answer has begun. Used by Front, and by handlers that go on after they have returned.
 */
export function answerHandlerFailure(exchange: Exchange, error: unknown, log: Log): void {
  const { stack, message } = error as Error;
  log.error('handler-failed', message, { requestId: exchange.id, path: exchange.path, detail: stack });
  if (exchange.response.headersSent) exchange.response.destroy();
  else respondWithErrorPage(exchange, 500, 'The site could not answer this request.');
}

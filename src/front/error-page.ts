import { STATUS_CODES } from 'node:http';
import type { Log } from '../log/log.js';
import type { Exchange, HeaderList, RespondOptions } from './exchange.js';

export interface ErrorPageOptions extends RespondOptions {
  /** Beside those that every such page has. */
  readonly headers?: HeaderList;
}

/**
 * The pages that easyserve itself answers with: plain, small, and without internal details. The log has the cause, under the
 * request id.
 */
export function respondWithErrorPage(
  exchange: Exchange,
  status: number,
  sentence: string,
  { headers = [], ...options }: ErrorPageOptions = {},
): void {
  const title = STATUS_CODES[status] ?? 'Error';
  const body = `<!doctype html>
<html lang="en">
<head><meta charset="utf-8"><meta name="viewport" content="width=device-width"><title>${title}</title>
<style>body{font:1rem/1.5 system-ui,sans-serif;max-width:34rem;margin:18vh auto;padding:0 1rem;color:#222}
small{color:#777}</style></head>
<body><h1>${title}</h1><p>${sentence}</p><p><small>Request ${exchange.id}</small></p></body>
</html>
`;
  exchange.respond(
    status,
    ['Content-Type', 'text/html; charset=utf-8', 'Cache-Control', 'no-store', ...headers],
    body,
    options,
  );
}

/**
 * A handler that throws is a bug of ours, which must not end the whole site: it is logged, and the client gets a 500, or sees a
 * cut when its answer has begun. Handlers that go on after they have returned call this themselves.
 */
export function answerHandlerFailure(exchange: Exchange, error: unknown, log: Log): void {
  const { stack, message } = error as Error;
  log.error('handler-failed', message, { requestId: exchange.id, path: exchange.path, detail: stack });
  if (exchange.response.headersSent) exchange.response.destroy();
  else respondWithErrorPage(exchange, 500, 'The site could not answer this request.');
}

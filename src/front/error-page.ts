import { STATUS_CODES } from 'node:http';
import type { Exchange, HeaderList } from './exchange.js';

/**
 * The pages that easyserve itself answers with. Used by every handler that refuses a request.
 *
 * Plain, small, without a word about the inside: the cause stands in the log under the request id.
 */
export function respondWithErrorPage(
  exchange: Exchange,
  status: number,
  sentence: string,
  headers: HeaderList = [],
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
  );
}

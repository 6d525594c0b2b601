import { STATUS_CODES } from 'node:http';
import type { Log } from '../log/log.js';
import type { Exchange, HeaderList, RespondOptions } from './exchange.js';

export interface ErrorPageOptions extends RespondOptions {
  /** Beside those that every such page has. */
  readonly headers?: HeaderList;
}

/**
 * What easyserve itself answers with: plain, small, and without internal details. The log has the cause, under the request id.
 *
 * As JSON where that was asked for, as plain text for a client like curl that asks for nothing in particular, else as a page: that of
 * the setting `errorPages`, if there is one.
 */
export function respondWithErrorPage(
  exchange: Exchange,
  status: number,
  sentence: string,
  { headers = [], ...options }: ErrorPageOptions = {},
): void {
  const { type, body } = render(exchange, {
    ...{ status, sentence, requestId: exchange.id },
    title: STATUS_CODES[status] ?? 'Error',
  });
  exchange.respond(
    status,
    ['Content-Type', `${type}; charset=utf-8`, 'Cache-Control', 'no-store', ...headers],
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

// Private

interface ErrorFacts {
  readonly status: number;
  readonly title: string;
  readonly sentence: string;
  readonly requestId: string;
}

const PAGE = `<!doctype html>
<html lang="en">
<head><meta charset="utf-8"><meta name="viewport" content="width=device-width"><title>{{title}}</title>
<style>body{font:1rem/1.5 system-ui,sans-serif;max-width:34rem;margin:18vh auto;padding:0 1rem;color:#222}
small{color:#777}</style></head>
<body><h1>{{title}}</h1><p>{{sentence}}</p><p><small>Request {{requestId}}</small></p></body>
</html>
`;

function render(exchange: Exchange, facts: ErrorFacts): { readonly type: string; readonly body: string } {
  const wanted = wantedType(exchange.request.headers.accept);
  if (wanted === 'application/json') return { type: wanted, body: `${JSON.stringify(facts)}\n` };
  if (wanted === 'text/plain') {
    return {
      type: wanted,
      body: `${facts.status} ${facts.title}\n${facts.sentence}\nRequest ${facts.requestId}\n`,
    };
  }
  const { pages } = exchange.defaults;
  const page =
    pages.get(String(facts.status)) ??
    pages.get(facts.status < 500 ? '4xx' : '5xx') ??
    pages.get('error') ??
    PAGE;
  const body = page.replace(/\{\{(status|title|sentence|requestId)\}\}/g, (_, name: keyof ErrorFacts) =>
    String(facts[name]),
  );
  return { type: 'text/html', body };
}

/** Browsers name text/html first. Without the header anything will do (RFC 9110 section 12.5.1). */
function wantedType(accept: string | undefined): 'text/html' | 'application/json' | 'text/plain' {
  for (const part of (accept ?? 'text/html').toLowerCase().split(',')) {
    const [range = ''] = part.split(';', 1);
    if (/^\s*(?:text\/html|application\/xhtml\+xml)\s*$/.test(range)) return 'text/html';
    if (/^\s*application\/(?:[\w.-]+\+)?json\s*$/.test(range)) return 'application/json';
  }
  return 'text/plain';
}

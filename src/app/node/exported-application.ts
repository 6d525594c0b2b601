import { createServer, type RequestListener, Server } from 'node:http';

/** Names under which a file exports its application, when it is not the export itself. */
const usualNames = ['default', 'handler', 'app', 'server'];

/**
 * Makes what a file exports listen: an HTTP server, an application with listen() (Express, Fastify, Koa), or a function
 * (request, response). Undefined where there is nothing of the kind.
 */
export function listenerFor(exported: unknown, port: number): (() => unknown) | undefined {
  for (const candidate of listCandidates(exported)) {
    const listener = listenerOf(candidate, port);
    if (listener !== undefined) return listener;
  }
  return undefined;
}

// Private

/** The namespace of an imported file; `default` is module.exports of CommonJS, and may have a `default` itself. */
function listCandidates(exported: unknown): unknown[] {
  const candidates: unknown[] = [exported];
  for (const name of usualNames) {
    const named = memberOf(exported, name);
    if (named !== undefined) candidates.push(named);
  }
  const inner = memberOf(exported, 'default');
  for (const name of usualNames) {
    const named = memberOf(inner, name);
    if (named !== undefined) candidates.push(named);
  }
  return candidates;
}

function memberOf(value: unknown, name: string): unknown {
  if (value === null || (typeof value !== 'object' && typeof value !== 'function')) return undefined;
  return (value as Record<string, unknown>)[name];
}

function listenerOf(candidate: unknown, port: number): (() => unknown) | undefined {
  if (candidate instanceof Server) return () => candidate.listen(port);
  if (typeof memberOf(candidate, 'listen') === 'function') {
    const application = candidate as { listen(options: { port: number }): unknown };
    // Fastify takes nothing but an object; the others hand it on to node:http, which takes one too.
    return () => application.listen({ port });
  }
  // A class can't be called; nor is it a handler.
  if (typeof candidate !== 'function' || /^class\b/.test(String(candidate))) return undefined;
  return () => createServer(candidate as RequestListener).listen(port);
}

import { type IncomingMessage, type Server, ServerResponse } from 'node:http';
import type { Socket } from 'node:net';
import { pendingResponse } from './client-error.js';
import { endWithRefusal } from './refuse-request.js';
import { type Refusal, refusalOfBody } from './request-rules.js';

/** A request after which Node's parser has left the connection; `head` is what came behind it. */
export interface UpgradeRequest {
  readonly request: IncomingMessage;
  readonly socket: Socket;
  readonly head: Buffer;
  readonly refusal: Refusal | undefined;
}

/**
 * Takes what Node emits as `upgrade`: a request for a WebSocket goes to `handle`, with a response for a refusal; one for
 * any other protocol goes back to the parser, as a plain one.
 *
 * The requests before it on the same connection, if a client has pipelined, get their answers first.
 */
export function takeUpgrade(
  server: Server,
  upgrade: UpgradeRequest,
  handle: (response: ServerResponse) => void,
): void {
  const { request, socket } = upgrade;
  socket.on('error', ignoreError); // Node has taken its own listener off; 'close' follows
  whenAnswersAreOut(socket, () => {
    const isWebSocket = isWebSocketRequest(request);
    const refusal = upgrade.refusal ?? (isWebSocket ? refusalOfBody(request) : undefined);
    if (refusal !== undefined) endWithRefusal(socket, refusal);
    else if (isWebSocket) handle(createUpgradeResponse(upgrade));
    else handleAsPlainRequest(server, upgrade);
  });
}

// Private

function ignoreError(): void {}

/** Never calls back when the connection closes instead. */
function whenAnswersAreOut(socket: Socket, callback: () => void): void {
  const pending = pendingResponse(socket);
  if (pending !== undefined) pending.once('close', () => whenAnswersAreOut(socket, callback));
  else if (socket.writable) callback();
}

/** RFC 6455 section 4.1. */
function isWebSocketRequest({ method, httpVersion, headers }: IncomingMessage): boolean {
  return method === 'GET' && httpVersion === '1.1' && headers.upgrade?.toLowerCase() === 'websocket';
}

/**
 * As Node makes it for any other request, for a refusal, an error page or a redirect. The connection ends with it, because the
 * parser has left the connection.
 */
function createUpgradeResponse({ request, socket, head }: UpgradeRequest): ServerResponse {
  const response = new ServerResponse(request);
  response.shouldKeepAlive = false;
  if (head.length > 0) socket.unshift(head);
  response.assignSocket(socket);
  response.once('finish', () => socket.destroySoon());
  return response;
}

/**
 * Without the Upgrade header: a server may ignore it (RFC 9110 section 7.8). Java's client asks for h2c with every first request,
 * also with one that has a body.
 *
 * Node 20 can't be told which upgrades to take; from 24.9 on http.createServer has `shouldUpgradeCallback`.
 */
function handleAsPlainRequest(server: Server, { request, socket, head }: UpgradeRequest): void {
  const { rawHeaders, method, url, httpVersion } = request;
  let text = `${method} ${url} HTTP/${httpVersion}\r\n`;
  for (let at = 0; at < rawHeaders.length; at += 2) {
    const name = (rawHeaders[at] as string).toLowerCase();
    const value = rawHeaders[at + 1] as string;
    if (name === 'upgrade' || name === 'http2-settings') continue;
    text += `${rawHeaders[at]}: ${name === 'connection' ? withoutUpgrade(value) : value}\r\n`;
  }
  socket.off('error', ignoreError);
  socket.setTimeout(0); // Node's, for the pause between two requests
  socket.unshift(Buffer.concat([Buffer.from(`${text}\r\n`, 'latin1'), head]));
  server.emit('connection', socket);
}

function withoutUpgrade(connection: string): string {
  return connection
    .split(',')
    .filter((token) => !/^\s*(upgrade|http2-settings)\s*$/i.test(token))
    .join(',');
}

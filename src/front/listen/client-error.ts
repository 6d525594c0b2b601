import type { IncomingMessage, ServerResponse } from 'node:http';
import type { Socket } from 'node:net';
import type { Log } from '../../log/log.js';

/** How Node's parser calls what a client did wrong -> status line. */
const statusLines: Readonly<Record<string, string>> = {
  HPE_HEADER_OVERFLOW: '431 Request Header Fields Too Large',
  HPE_CHUNK_EXTENSIONS_OVERFLOW: '413 Payload Too Large',
  ERR_HTTP_REQUEST_TIMEOUT: '408 Request Timeout',
};

/** Connections that end with the answer that is under way on them. */
const condemned = new WeakSet<Socket>();

/**
 * Answers bytes that are no request, and closes: what follows on such a connection can't be trusted. Used by Front as the
 * listener of `clientError` (Node documentation, http.Server).
 */
export function answerClientError(error: NodeJS.ErrnoException, socket: Socket, log: Log): void {
  const code = error.code ?? '';
  if (code === 'ECONNRESET' || !socket.writable) {
    socket.destroy();
    return;
  }
  // Node goes on parsing, so the same comes again with each piece that arrives.
  if (condemned.has(socket)) return;
  log.debug('client-error', 'a client sent what is no HTTP request', { client: socket.remoteAddress, code });
  refuse(socket, statusLines[code] ?? '400 Bad Request');
}

/**
 * Refuses CONNECT: this is no proxy. Used by Front as the listener of `connect`; without one Node closes without a word.
 */
export function refuseTunnel(socket: Socket): void {
  socket.on('error', () => {}); // Node has taken its own listeners off; a client that leaves is none of our business
  refuse(socket, '501 Not Implemented');
}

// Private

function refuse(socket: Socket, statusLine: string): void {
  const pending = pendingResponse(socket);
  if (pending?.req.complete) closeAfter(pending, socket);
  else if (pending?.headersSent) socket.destroy();
  else {
    socket.end(`HTTP/1.1 ${statusLine}\r\nConnection: close\r\nContent-Length: 0\r\n\r\n`, () =>
      socket.destroy(),
    );
  }
}

/** The request before the bad bytes was whole: a refusal now would pass for its answer. */
function closeAfter(response: ServerResponse, socket: Socket): void {
  condemned.add(socket);
  response.shouldKeepAlive = false;
  response.once('finish', () => socket.destroySoon());
}

/** Node keeps the response of a connection here; its own default listener of `clientError` looks at the same. */
function pendingResponse(socket: Socket): ServerResponse<IncomingMessage> | undefined {
  return (socket as Socket & { _httpMessage?: ServerResponse | null })._httpMessage ?? undefined;
}

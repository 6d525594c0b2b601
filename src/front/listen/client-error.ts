import type { IncomingMessage, ServerResponse } from 'node:http';
import type { Socket } from 'node:net';
import type { Log } from '../../log/log.js';

/** The code of Node's error -> status line. */
const statusLines: Readonly<Record<string, string>> = {
  HPE_HEADER_OVERFLOW: '431 Request Header Fields Too Large',
  HPE_CHUNK_EXTENSIONS_OVERFLOW: '413 Payload Too Large',
  ERR_HTTP_REQUEST_TIMEOUT: '408 Request Timeout',
};

/**
 * Answers bytes that are no request, and closes: what follows on such a connection can't be trusted. The listener of `clientError`
 * of one server (Node documentation, http.Server).
 */
export class ClientErrors {
  readonly #log: Log;
  /** Connections that end with the answer that is under way on them. */
  readonly #condemned = new WeakSet<Socket>();

  constructor(log: Log) {
    this.#log = log;
  }

  answer(error: NodeJS.ErrnoException, socket: Socket): void {
    const code = error.code ?? '';
    if (code === 'ECONNRESET' || !socket.writable) {
      socket.destroy();
      return;
    }
    // Node goes on parsing, so the same error comes again with each piece that arrives.
    if (this.#condemned.has(socket)) return;
    this.#condemned.add(socket);
    const client = socket.remoteAddress;
    this.#log.debug('client-error', 'a client sent what is no HTTP request', { client, code });
    refuse(socket, statusLines[code] ?? '400 Bad Request');
  }
}

/** Refuses CONNECT, because this is no proxy. Without a listener of `connect` Node closes the connection unanswered. */
export function refuseTunnel(socket: Socket): void {
  socket.on('error', () => {}); // Node has taken its own listeners off; a client may leave
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
  response.shouldKeepAlive = false;
  response.once('finish', () => socket.destroySoon());
}

/** The response whose turn it is. Node keeps it here; its own default listener of `clientError` looks at the same field. */
export function pendingResponse(socket: Socket): ServerResponse<IncomingMessage> | undefined {
  return (socket as Socket & { _httpMessage?: ServerResponse | null })._httpMessage ?? undefined;
}

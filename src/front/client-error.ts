import type { Socket } from 'node:net';
import type { Log } from '../log/log.js';

/** How Node's parser calls what a client did wrong -> status line. */
const statusLines: Readonly<Record<string, string>> = {
  HPE_HEADER_OVERFLOW: '431 Request Header Fields Too Large',
  ERR_HTTP_REQUEST_TIMEOUT: '408 Request Timeout',
};

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
  log.debug('client-error', 'a client sent what is no HTTP request', { client: socket.remoteAddress, code });
  // An answer may be under way on this connection: then nothing can be put into it.
  if (socket.bytesWritten > 0 && hasAnswerUnderWay(socket)) {
    socket.destroy();
    return;
  }
  const statusLine = statusLines[code] ?? '400 Bad Request';
  socket.end(`HTTP/1.1 ${statusLine}\r\nConnection: close\r\nContent-Length: 0\r\n\r\n`, () =>
    socket.destroy(),
  );
}

// Private

/** Node keeps the response of a connection here; its own default listener of `clientError` looks at the same. */
function hasAnswerUnderWay(socket: Socket): boolean {
  const { _httpMessage: message } = socket as Socket & { _httpMessage?: { headersSent: boolean } | null };
  return message?.headersSent === true;
}

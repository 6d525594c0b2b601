import { TLSSocket } from 'node:tls';
import type { Exchange } from './exchange.js';
import { Http2Response } from './listen/http2/http2-response.js';

/**
 * Ends an answer so that the client sees that it isn't whole; what was written before still goes out. Used by AnswerWriter.
 *
 * To HTTP/1.0 a closed connection is the end of the body (RFC 9112 section 6.3), a reset one is not; in TLS the end is one
 * without close_notify (RFC 8446 section 6.1), which is what destroy() makes.
 */
export function cutAnswer({ request, response }: Exchange): void {
  const { httpVersion, socket } = request;
  if (response instanceof Http2Response) response.cut();
  else if (httpVersion !== '1.0') socket.destroySoon();
  else if (socket instanceof TLSSocket) socket.destroy();
  else socket.resetAndDestroy();
}

import { STATUS_CODES } from 'node:http';
import type { Socket } from 'node:net';
import { systemClock } from '../../contracts/clock.js';
import type { Http2Response } from './http2/http2-response.js';
import type { Refusal } from './request-rules.js';

/** How long a connection that ends with a refusal is still read (nginx's lingering_timeout). */
const LINGER_MS = 5000;

/**
 * Answers what is no request that we take, as the last on its connection of HTTP/1.
 *
 * What the client still sends is read and dropped for a while, until it closes its side: the kernel resets a connection that is
 * closed with bytes unread, and the client would lose the answer (RFC 9112 section 9.6).
 */
export function endWithRefusal(socket: Socket, refusal: Refusal, { isHead = false } = {}): void {
  const body = refusalText(refusal);
  const head = [`HTTP/1.1 ${refusal.status} ${STATUS_CODES[refusal.status]}`, 'Connection: close'];
  const headers = headersOf(refusal, body);
  for (let at = 0; at < headers.length; at += 2) head.push(`${headers[at]}: ${headers[at + 1]}`);
  socket.end(`${head.join('\r\n')}\r\n\r\n${isHead ? '' : body}`);
  const cancel = systemClock.after(LINGER_MS, () => socket.destroy());
  socket.once('close', cancel).once('end', () => socket.destroy());
  socket.resume();
}

/** The same for HTTP/2, where the connection goes on for other requests. */
export function respondWithRefusal(response: Http2Response, refusal: Refusal): void {
  const body = refusalText(refusal);
  response.writeHead(refusal.status, headersOf(refusal, body));
  response.end(body);
}

/** Plain, for it is no page of the site. */
export function refusalText({ status, sentence }: Refusal): string {
  return `${status} ${STATUS_CODES[status]}\n${sentence}\n`;
}

// Private

function headersOf({ headers = [] }: Refusal, body: string): string[] {
  return ['Content-Type', 'text/plain; charset=utf-8', 'Content-Length', String(body.length), ...headers];
}

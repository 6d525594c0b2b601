import type { IncomingHttpHeaders, OutgoingHttpHeaders } from 'node:http';
import type { Socket } from 'node:net';
import type { Readable, Writable } from 'node:stream';

/** A request as the handlers see it: http.IncomingMessage, or Http2ServerRequest after http2-head. */
export interface ClientRequest extends Readable {
  readonly method?: string | undefined;
  /** The request target. */
  readonly url?: string | undefined;
  readonly httpVersion: string;
  readonly headers: IncomingHttpHeaders;
  readonly rawHeaders: string[];
  /** With HTTP/2 it is only to be read: it carries other requests as well. */
  readonly socket: Socket;
  /** Of the connection; with HTTP/2 of the stream. */
  setTimeout(timeoutMs: number, callback?: () => void): unknown;
}

/** An answer as the handlers write it: http.ServerResponse, or Http2Response. */
export interface ClientResponse extends Writable {
  statusCode: number;
  statusMessage: string;
  /** With HTTP/1: whether the connection goes on after the answer. */
  shouldKeepAlive: boolean;
  readonly headersSent: boolean;
  /** Names and values in turn. */
  writeHead(status: number, headers: string[]): unknown;
  writeHead(status: number, reason: string, headers: string[]): unknown;
  flushHeaders(): void;
  writeContinue(): void;
  writeEarlyHints(hints: OutgoingHttpHeaders): void;
}

/** `::ffff:192.0.2.1`, an IPv4 peer on a socket for both (RFC 4291 section 2.5.5.2), is shown as 192.0.2.1. */
export function plainAddress(address: string): string {
  return address.startsWith('::ffff:') && address.includes('.') ? address.slice(7) : address;
}

/** Who is at the other end of a connection, in the plain form of an address. */
export function peerAddressOf(socket: Pick<Socket, 'remoteAddress' | 'remotePort'>): {
  readonly address: string;
  readonly port: number;
} {
  if (unixPeers.has(socket)) return { address: THIS_MACHINE, port: 0 };
  const { remoteAddress, remotePort } = socket;
  return { address: plainAddress(remoteAddress ?? ''), port: remotePort ?? 0 };
}

/** Over a Unix socket there is no address: whoever asks is on this machine. */
const THIS_MACHINE = '127.0.0.1';
let lastUnixPeer = 0;
const unixPeers = new WeakMap<object, string>();

/** Names a connection that came over a Unix socket, so that peerOf and peerAddressOf tell it from others; at its beginning. */
export function nameUnixPeer(socket: Socket): void {
  if (socket.remoteAddress !== undefined || socket.localAddress !== undefined) return;
  lastUnixPeer += 1;
  unixPeers.set(socket, `unix ${lastUnixPeer}`);
}

/** Identifies the connection, also where a TLS socket or an HTTP/2 stream stands for it. */
export function peerOf(socket: Pick<Socket, 'remoteAddress' | 'remotePort'>): string {
  const unixPeer = unixPeers.get(socket);
  if (unixPeer !== undefined) return unixPeer;
  const { remoteAddress, remotePort } = socket;
  return `${remoteAddress} ${remotePort}`;
}

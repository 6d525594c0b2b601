import type { IncomingMessage } from 'node:http';

/**
 * Gives the connection of a request the client's address, and the mark of TLS: on the socket of easyserve it has neither, and
 * applications that don't trust a proxy (Express without `trust proxy`) would see no client at all.
 *
 * The headers are the front's own words; what the client sent of that kind has been dropped (front/upstream/forwarded-headers).
 * A connection serves one client after another, so this is done for each request.
 */
export function showClient({ headers, socket }: IncomingMessage): void {
  const address = headers['x-forwarded-for'];
  if (typeof address !== 'string') return;
  show(socket, 'remoteAddress', address);
  show(socket, 'remoteFamily', address.includes(':') ? 'IPv6' : 'IPv4');
  show(socket, 'encrypted', headers['x-forwarded-proto'] === 'https');
}

// Private

function show(socket: object, name: string, value: unknown): void {
  Object.defineProperty(socket, name, { value, configurable: true, enumerable: true, writable: true });
}

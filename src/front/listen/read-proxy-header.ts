import type { Socket } from 'node:net';
import { type PeekLimits, peek } from './peek.js';
import { type ProxyHeader, parseProxyHeader } from './proxy-header.js';

/**
 * Takes the PROXY header off a new connection, so that what comes behind it can be given to a server. Calls back with undefined
 * for what is none.
 */
export function readProxyHeader(
  socket: Socket,
  limits: PeekLimits,
  onHeader: (header: ProxyHeader | undefined) => void,
): void {
  const understand = (seen: Buffer) => {
    const header = parseProxyHeader(seen);
    if (header === 'incomplete') return header;
    return header === 'invalid'
      ? { takenBytes: seen.length, result: undefined }
      : { takenBytes: header.bytes, result: header };
  };
  peek(socket, limits, understand, onHeader);
}

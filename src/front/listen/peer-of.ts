import type { Socket } from 'node:net';

/** Which connection it is, also where a TLS socket or an HTTP/2 stream stands for it. */
export function peerOf({ remoteAddress, remotePort }: Pick<Socket, 'remoteAddress' | 'remotePort'>): string {
  return `${remoteAddress} ${remotePort}`;
}

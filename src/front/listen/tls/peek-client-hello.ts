import type { Socket } from 'node:net';
import { type PeekLimits, peek } from '../peek.js';
import { type ClientHello, readClientHello } from './client-hello.js';

/** Reads the ClientHello of a new connection and leaves it there. Calls back with undefined for what is none. */
export function peekClientHello(
  socket: Socket,
  limits: PeekLimits,
  onHello: (hello: ClientHello | undefined) => void,
): void {
  const understand = (seen: Buffer) => {
    const hello = readClientHello(seen);
    if (hello === 'incomplete') return hello;
    return { takenBytes: 0, result: hello === 'unreadable' ? undefined : hello };
  };
  peek(socket, limits, understand, onHello);
}

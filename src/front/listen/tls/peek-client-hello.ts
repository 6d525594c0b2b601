import type { Socket } from 'node:net';
import type { Clock } from '../../../contracts/clock.js';
import { type ClientHello, readClientHello } from './client-hello.js';

/**
 * Reads the ClientHello of a new connection and puts it back, so that a TLS server can take the socket over: Node's
 * TLSSocket begins with what the socket has buffered.
 *
 * Calls back with the hello, or with undefined for what is none. No call for a client that leaves before; one that
 * takes longer than `timeoutMs` is cut off. The caller handles the socket's errors.
 */
export function peekClientHello(
  socket: Socket,
  limits: { readonly clock: Clock; readonly timeoutMs: number },
  onHello: (hello: ClientHello | undefined) => void,
): void {
  let seen: Buffer = Buffer.alloc(0);
  const cancel = limits.clock.after(limits.timeoutMs, () => socket.destroy());
  const stop = (): void => {
    cancel();
    socket.off('readable', read);
    socket.off('close', stop);
    socket.off('end', leave);
  };
  const leave = (): void => {
    stop();
    socket.destroy();
  };
  const read = (): void => {
    for (let part: Buffer | null = socket.read(); part !== null; part = socket.read()) {
      seen = seen.length === 0 ? part : Buffer.concat([seen, part]);
    }
    const hello = readClientHello(seen);
    if (hello === 'incomplete') return;
    stop();
    socket.unshift(seen);
    onHello(hello === 'unreadable' ? undefined : hello);
  };
  socket.on('readable', read).on('close', stop).on('end', leave);
}

import type { Socket } from 'node:net';
import type { Clock } from '../../contracts/clock.js';

/** A connection is made known again when its parser begins anew (upgrade). */
const watched = new WeakSet<Socket>();

/**
 * Cuts a connection whose client has closed its side, and gets nothing for a while: it may wait for the rest of its answer
 * (`printf … | nc`), or have gone. TCP can't tell the two apart before something is written (RFC 9293 section 3.6).
 */
export function cutWhenSilent(socket: Socket, clock: Clock, timeoutMs: () => number): void {
  if (watched.has(socket)) return;
  watched.add(socket);
  socket.once('end', () => {
    let cancel = (): void => {};
    const check = (writtenBefore: number): void => {
      if (socket.bytesWritten === writtenBefore) socket.destroy();
      else wait();
    };
    const wait = (): void => {
      const { bytesWritten } = socket;
      cancel = clock.after(timeoutMs(), () => check(bytesWritten));
    };
    if (socket.destroyed) return;
    wait();
    socket.once('close', () => cancel());
  });
}

import type { Socket } from 'node:net';
import type { Clock } from '../../contracts/clock.js';

export interface PeekLimits {
  readonly clock: Clock;
  readonly timeoutMs: number;
}

/**
 * Reads the beginning of a new connection until `understand` makes something of it, and puts back what comes behind its first
 * `takenBytes`, so that a server can take the socket over: Node's sockets begin with what they have buffered.
 *
 * No call for a client that leaves before; one that takes longer than `timeoutMs` is cut off.
 */
export function peek<T>(
  socket: Socket,
  limits: PeekLimits,
  understand: (seen: Buffer) => 'incomplete' | { readonly takenBytes: number; readonly result: T },
  onResult: (result: T) => void,
): void {
  let seen: Buffer = Buffer.alloc(0);
  const cancel = limits.clock.after(limits.timeoutMs, () => socket.destroy());
  const stop = (): void => {
    cancel();
    socket.off('readable', read);
    socket.off('close', stop);
    socket.off('end', leave);
    socket.off('error', ignore);
  };
  const ignore = (): void => {}; // 'close' follows
  const leave = (): void => {
    stop();
    socket.destroy();
  };
  const read = (): void => {
    for (let part: Buffer | null = socket.read(); part !== null; part = socket.read()) {
      seen = seen.length === 0 ? part : Buffer.concat([seen, part]);
    }
    const understood = understand(seen);
    if (understood === 'incomplete') return;
    stop();
    if (seen.length > understood.takenBytes) socket.unshift(seen.subarray(understood.takenBytes));
    onResult(understood.result);
  };
  socket.on('readable', read).on('close', stop).on('end', leave).on('error', ignore);
}

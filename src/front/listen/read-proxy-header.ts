import type { Socket } from 'node:net';
import type { Clock } from '../../contracts/clock.js';
import { type ProxyHeader, parseProxyHeader } from './proxy-header.js';

/**
 * Takes the PROXY header off a new connection, so that what comes behind it can be given to a server. Calls back with undefined
 * where there is none; not at all when the client leaves before, or takes longer than `timeoutMs`: then it is cut.
 */
export function readProxyHeader(
  socket: Socket,
  limits: { readonly clock: Clock; readonly timeoutMs: number },
  onHeader: (header: ProxyHeader | undefined) => void,
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
    const header = parseProxyHeader(seen);
    if (header === 'incomplete') return;
    stop();
    if (header !== 'invalid' && seen.length > header.bytes) socket.unshift(seen.subarray(header.bytes));
    onHeader(header === 'invalid' ? undefined : header);
  };
  socket.on('readable', read).on('close', stop).on('end', leave).on('error', ignore);
}

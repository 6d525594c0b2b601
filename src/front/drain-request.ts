import { systemClock } from '../contracts/clock.js';
import type { ClientRequest } from './client-message.js';

/** nginx's lingering_timeout and lingering_time. */
const maxPauseMs = 5_000;
const maxDrainMs = 30_000;

/**
 * Reads and drops the rest of a request's body; resolves when it is over, the client has gone, or it takes too long.
 *
 * Needed between an answer that is given before the body was read and the close: the kernel resets a connection that is closed with
 * bytes unread, and a client that still sends loses the answer with it (RFC 9112 section 9.6).
 */
export async function drainRequest(request: ClientRequest): Promise<void> {
  if (request.readableEnded || request.destroyed) return;
  await new Promise<void>((resolve) => {
    const cancel = systemClock.after(maxDrainMs, resolve);
    const stop = () => {
      cancel();
      resolve();
    };
    request.setTimeout(maxPauseMs, stop);
    request.once('end', stop).once('close', stop);
    request.resume();
  });
  request.setTimeout(0);
}

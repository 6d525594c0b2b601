import type { Socket } from 'node:net';
import type { Clock } from '../../contracts/clock.js';
import type { Scheme } from '../../contracts/scheme.js';

/**
 * So many may hear the answer out at the same time: half of the descriptors that are kept free at least (LEAST_SPARE in
 * descriptor-limit), because a refusal may come from their lack. What comes beside them is closed without a word.
 */
const MOST_LEAVING = 16;
const LEAVE_MS = 1000;

const BODY = 'This site has too many visitors at the moment. Please try again in a few seconds.\n';
const ANSWER = `HTTP/1.1 503 Service Unavailable\r\nRetry-After: 5\r\nConnection: close\r\nContent-Type: text/plain; charset=utf-8\r\nContent-Length: ${BODY.length}\r\n\r\n${BODY}`;

/**
 * Sends connections away for which there is no room: with a 503 where they speak plain HTTP. A handshake of TLS, which is what a
 * word costs over HTTPS, is what there is no room for, so there they are closed.
 */
export class ConnectionRefusal {
  readonly #clock: Clock;
  readonly #leaving = new Set<Socket>();

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  refuse(socket: Socket, scheme: Scheme): void {
    socket.on('error', () => {}); // 'close' follows
    if (scheme === 'https' || this.#leaving.size >= MOST_LEAVING) {
      socket.destroy();
      return;
    }
    this.#leaving.add(socket);
    const cancel = this.#clock.after(LEAVE_MS, () => socket.destroy());
    socket.once('close', () => {
      cancel();
      this.#leaving.delete(socket);
    });
    // A close with bytes unread is a reset, which takes the answer along (RFC 9112 section 9.6).
    socket.resume();
    socket.end(ANSWER);
    socket.once('end', () => socket.destroy());
  }

  close(): void {
    for (const socket of this.#leaving) socket.destroy();
  }
}

import { connect } from 'node:net';
import type { Clock } from '../contracts/clock.js';
import { systemClock } from '../contracts/clock.js';

/** A live listener accepts at once, or as soon as its full backlog has room. */
const connectDeadlineMs = 2000;

/** Whether a process listens on the Unix socket. A file that nobody listens on refuses (ECONNREFUSED, unix(7)). */
export function isSocketAnswering(path: string, clock: Clock = systemClock): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect(path);
    const finish = (isAnswering: boolean): void => {
      cancel();
      socket.destroy();
      resolve(isAnswering);
    };
    const cancel = clock.after(connectDeadlineMs, () => finish(true));
    socket.once('connect', () => finish(true));
    // EAGAIN: the backlog is full, so somebody listens.
    socket.once('error', (error: NodeJS.ErrnoException) => finish(error.code === 'EAGAIN'));
  });
}

import type { Server, Socket } from 'node:net';
import { createServer } from 'node:net';
import { dirname } from 'node:path';
import type { Clock } from '../contracts/clock.js';
import { systemClock } from '../contracts/clock.js';
import { ControlConnection, type ControlHandler } from './control-connection.js';
import { withDiskErrors } from './disk-error.js';

/** The listening end of the control socket. */
export class ControlServer {
  readonly #server: Server;
  readonly #connections = new Set<ControlConnection>();

  private constructor(handler: ControlHandler, clock: Clock) {
    // allowHalfOpen: a client such as `nc -U` closes its sending side after the request and waits for the answer.
    this.#server = createServer({ allowHalfOpen: true }, (socket) => this.#serve(socket, handler, clock));
  }

  /** The caller holds the instance lock, so nothing else is at `path`. */
  static async listen(
    path: string,
    handler: ControlHandler,
    clock: Clock = systemClock,
  ): Promise<ControlServer> {
    const control = new ControlServer(handler, clock);
    await withDiskErrors(dirname(path), () => control.#listen(path));
    return control;
  }

  /** Ends every connection once what was written to it is sent; removes the socket. */
  async close(): Promise<void> {
    const closed = new Promise<void>((resolve) => this.#server.close(() => resolve()));
    for (const connection of this.#connections) connection.end();
    await closed;
  }

  #listen(path: string): Promise<void> {
    return new Promise((resolve, reject) => {
      this.#server.once('error', reject);
      // Node binds within this call, and bind(2) takes the mode from the umask: nobody else can connect, not even between
      // bind and chmod.
      const umask = process.umask(0o177);
      try {
        this.#server.listen(path, () => {
          this.#server.off('error', reject);
          resolve();
        });
      } finally {
        process.umask(umask);
      }
    });
  }

  #serve(socket: Socket, handler: ControlHandler, clock: Clock): void {
    const connection = new ControlConnection(socket, handler, clock);
    this.#connections.add(connection);
    socket.once('close', () => this.#connections.delete(connection));
  }
}

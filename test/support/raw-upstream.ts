import { once } from 'node:events';
import { createServer, type Server } from 'node:net';
import { join } from 'node:path';
import type { TestContext } from 'node:test';
import { makeFileTree } from './file-tree.js';
import { RawConnection } from './raw-connection.js';
import { withDeadline } from './with-deadline.js';

/** An application server of which a test writes every byte: malformed answers, answers in pieces, none. */
export class RawUpstream {
  readonly path: string;
  /** All connections so far, oldest first. */
  readonly connections: RawConnection[] = [];
  readonly #server: Server;
  #wake: () => void = () => {};

  constructor(path: string, server: Server) {
    this.path = path;
    this.#server = server;
    server.on('connection', (socket) => {
      this.connections.push(new RawConnection(socket));
      this.#wake();
    });
  }

  /** The connection of this number, from 0 on; resolves when it is there. */
  async connection(index: number): Promise<RawConnection> {
    const arrived = new Promise<void>((resolve) => {
      this.#wake = () => {
        if (this.connections.length > index) resolve();
      };
      this.#wake();
    });
    await withDeadline(arrived, 10_000, () => `${this.connections.length} connections`);
    return this.connections[index] as RawConnection;
  }

  /** No connection is accepted any more. */
  close(): void {
    this.#server.close();
  }
}

/** Listens on a Unix socket until the test ends. */
export async function serveRawUpstream(t: TestContext): Promise<RawUpstream> {
  const path = join(await makeFileTree(t, {}), 'app.sock');
  const sockets = new Set<{ destroy(): void }>();
  const server = createServer({ allowHalfOpen: true }, (socket) => sockets.add(socket));
  server.listen(path);
  await once(server, 'listening');
  t.after(() => {
    for (const socket of sockets) socket.destroy();
    server.close();
  });
  return new RawUpstream(path, server);
}

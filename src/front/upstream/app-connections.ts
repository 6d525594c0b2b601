import { Agent, type ClientRequest } from 'node:http';
import { type NetConnectOpts, Socket, type SocketConnectOpts } from 'node:net';
import type { Duplex } from 'node:stream';
import type { Clock } from '../../contracts/clock.js';

/** How Node's Agent hears of a connection (its documentation, agent.createConnection). */
type OnConnected = (error: Error | null, socket: Duplex) => void;

/**
 * The front closes an idle connection before the server does: Node.js and uvicorn wait 5 s, Cheroot 10. The servers that
 * easyserve starts itself wait longer.
 */
const IDLE_CONNECTION_MS = 4000;
/** A server whose queue of new connections is full (EAGAIN on a Unix socket) is asked again. */
const FULL_BACKLOG_MS = 20;

/**
 * Node's Agent for the connections to one application process, with what it lacks:
 *
 *   - A Unix socket refuses a connection when the server's queue is full, where TCP would wait: it is tried again.
 *   - Bytes on an idle connection, the rest of an answer that was longer than it said, would pass for the answer to the
 *     next request: such a connection is closed.
 *   - A failed write does not end a connection (AppSocket).
 *
 * Two for each HttpClient: one keeps its connections, the other gives each request its own.
 */
export class AppConnections extends Agent {
  readonly #clock: Clock;
  #isDestroyed = false;

  constructor(clock: Clock, { keepAlive }: { keepAlive: boolean }) {
    super(keepAlive ? { keepAlive, timeout: IDLE_CONNECTION_MS } : {});
    this.#clock = clock;
  }

  /** Node uses what this returns only where it is a socket; the callback gets ours. */
  override createConnection(options: object, onConnected?: OnConnected): undefined {
    this.#connect(options as NetConnectOpts, onConnected as OnConnected);
  }

  /** The answer is complete; false closes the connection. */
  override keepSocketAlive(socket: Duplex): boolean {
    // @types/node declares no result; Node's documentation does (agent.keepSocketAlive).
    const isKept = super.keepSocketAlive(socket) as unknown as boolean;
    if (isKept) socket.on('data', closeConnection);
    return isKept;
  }

  /** Another request is about to be sent. */
  override reuseSocket(socket: Duplex, request: ClientRequest): void {
    socket.off('data', closeConnection);
    super.reuseSocket(socket, request);
  }

  override destroy(): void {
    this.#isDestroyed = true;
    super.destroy();
  }

  // Private

  #connect(options: NetConnectOpts, onConnected: OnConnected): void {
    const socket = new AppSocket(options);
    if (options.timeout !== undefined) socket.setTimeout(options.timeout);
    const onError = (error: NodeJS.ErrnoException): void => {
      if (error.code !== 'EAGAIN' || this.#isDestroyed) onConnected(error, socket);
      else this.#clock.after(FULL_BACKLOG_MS, () => this.#connect(options, onConnected));
    };
    socket.once('error', onError);
    socket.once('connect', () => {
      socket.off('error', onError);
      onConnected(null, socket);
    });
    socket.connect(options as SocketConnectOpts);
  }
}

// Private

type WriteCallback = (error?: Error | null) => void;

/**
 * A server may answer and close before it has read the whole request: then a write fails, and Node would drop the
 * answer that has arrived meanwhile. Here only the end of what is read ends a connection.
 */
class AppSocket extends Socket {
  override _write(piece: unknown, encoding: BufferEncoding, callback: WriteCallback): void {
    super._write(piece, encoding, unlessClosed(callback));
  }

  override _writev(pieces: { chunk: unknown; encoding: BufferEncoding }[], callback: WriteCallback): void {
    super._writev?.(pieces, unlessClosed(callback));
  }
}

function unlessClosed(callback: WriteCallback): WriteCallback {
  return (error) => {
    const code = (error as NodeJS.ErrnoException | null | undefined)?.code;
    callback(code === 'EPIPE' || code === 'ECONNRESET' ? null : error);
  };
}

function closeConnection(this: Socket): void {
  this.destroy();
}

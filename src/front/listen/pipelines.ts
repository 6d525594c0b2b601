import type { IncomingMessage, ServerResponse } from 'node:http';
import type { Socket } from 'node:net';

/** The requests that wait on connections of HTTP/1 for the answers before theirs. */
export class Pipelines {
  readonly #waiting = new WeakMap<Socket, number>();
  readonly #onFull: (socket: Socket) => void;

  /** `onFull`: no more may be taken of the connection. */
  constructor(onFull: (socket: Socket) => void) {
    this.#onFull = onFull;
  }

  /**
   * Calls back when the answers before this one are out. One beyond `limit` gets a 503 in its turn, with which the connection ends:
   * Node parses all that is in a piece at once, which may be thousands.
   */
  take({ socket }: IncomingMessage, response: ServerResponse, limit: number, onTurn: () => void): void {
    if (response.socket !== null) {
      onTurn();
      return;
    }
    const waiting = this.#waiting.get(socket) ?? 0;
    if (waiting >= limit) {
      this.#onFull(socket);
      whenItsTurn(response, () => refuse(response));
      return;
    }
    this.#waiting.set(socket, waiting + 1);
    whenItsTurn(response, () => {
      this.#waiting.set(socket, (this.#waiting.get(socket) ?? 1) - 1);
      onTurn();
    });
  }
}

/**
 * Calls back once the response may be written: at once, or, for a pipelined request, when the answers before
 * it are out. Nothing is to be done for a request before that.
 *
 * Node hands over pipelined requests at once, but their responses have no socket yet, and when the connection
 * breaks before they get one they never emit `close` (seen in Node 20): whatever waits for it would wait for ever.
 */
export function whenItsTurn(response: ServerResponse, callback: () => void): void {
  if (response.socket === null) response.once('socket', callback);
  else callback();
}

// Private

function refuse(response: ServerResponse): void {
  response.writeHead(503, ['Connection', 'close', 'Retry-After', '1', 'Content-Length', '0']);
  response.end();
}

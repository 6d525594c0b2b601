import { connect, type Socket } from 'node:net';
import { type ConnectionOptions, connect as connectSecurely } from 'node:tls';
import { MalformedResponse, ResponseParser, type WireResponse } from './response-parser.js';

/**
 * How a request can fail, as the client sees it:
 *
 *   refused    no connection
 *   reset      the connection ended before a byte of the answer
 *   truncated  the connection ended inside the answer
 *   timeout    no whole answer in time
 *   status     a whole answer, with another status than 200
 *   body       a whole answer that says something else than it must, or is no proper HTTP
 */
export type FailureKind = 'refused' | 'reset' | 'truncated' | 'timeout' | 'status' | 'body';

export class WireFailure extends Error {
  readonly kind: FailureKind;

  constructor(kind: FailureKind, message: string) {
    super(message);
    this.kind = kind;
  }
}

interface Exchange {
  readonly parser: ResponseParser;
  readonly resolve: (response: WireResponse) => void;
  readonly reject: (failure: WireFailure) => void;
  readonly timer: NodeJS.Timeout;
}

/**
 * One client connection that sends one request at a time. Used by loadDuring.
 *
 * node:http's agent would quietly take another connection when the server has closed an idle one. Here nothing is
 * hidden and nothing is tried again: each request succeeds or fails on the connection that it was written to.
 */
export class WireConnection {
  readonly #socket: Socket;
  #exchange: Exchange | undefined;
  #isConnected = false;
  #isOpen = true;
  #served = 0;
  #idleEnd: string | undefined;

  /** Connects at once, over TLS where its options are given; a refusal shows in the first request. */
  constructor(address: { host: string; port: number }, tls?: ConnectionOptions) {
    const plain = connect({ ...address, noDelay: true });
    this.#socket = tls === undefined ? plain : connectSecurely({ ...tls, socket: plain });
    this.#socket.once(tls === undefined ? 'connect' : 'secureConnect', () => {
      this.#isConnected = true;
    });
    this.#socket.on('data', (piece) => this.#take(piece));
    this.#socket.once('end', () => this.#end('the server closed the connection'));
    this.#socket.once('error', (error: NodeJS.ErrnoException) => this.#end(error.code ?? error.message));
    this.#socket.once('close', () => this.#end('the connection closed'));
  }

  get isOpen(): boolean {
    return this.#isOpen;
  }

  /** Requests answered on this connection. */
  get served(): number {
    return this.#served;
  }

  /** How the connection ended between two requests, when the answer before had not announced it. */
  get idleEnd(): string | undefined {
    return this.#idleEnd;
  }

  /** Rejects with a WireFailure, and the connection is closed then. */
  send(method: string, bytes: Buffer, timeoutMs: number): Promise<WireResponse> {
    return new Promise((resolve, reject) => {
      const timer = setTimeout(() => this.#fail('timeout', `no whole answer in ${timeoutMs} ms`), timeoutMs);
      this.#exchange = { parser: new ResponseParser(method), resolve, reject, timer };
      if (this.#isOpen) this.#socket.write(bytes);
      else this.#fail('reset', 'the connection was closed already');
    });
  }

  close(): void {
    this.#isOpen = false;
    this.#socket.end();
    // What happens after the whole answer is of no interest.
    this.#socket.destroySoon();
  }

  #take(piece: Buffer): void {
    const exchange = this.#exchange;
    if (exchange === undefined) {
      // Bytes that nobody asked for: the next request would read them as its answer.
      this.#end('bytes came between two requests');
      return;
    }
    try {
      const whole = exchange.parser.push(piece);
      if (whole === undefined) return;
      if (whole.extraBytes > 0) this.#fail('body', `${whole.extraBytes} bytes behind the end of the answer`);
      else this.#succeed(exchange, whole.response);
    } catch (error) {
      if (!(error instanceof MalformedResponse)) throw error;
      this.#fail('body', error.message);
    }
  }

  #succeed(exchange: Exchange, response: WireResponse): void {
    clearTimeout(exchange.timer);
    this.#exchange = undefined;
    this.#served += 1;
    if (response.headers.get('connection')?.toLowerCase() === 'close') this.close();
    exchange.resolve(response);
  }

  #end(reason: string): void {
    if (this.#exchange === undefined) {
      if (this.#isOpen) this.#idleEnd = reason;
      this.#isOpen = false;
      this.#socket.destroy();
    } else if (!this.#isConnected) this.#fail('refused', reason);
    else if (this.#exchange.parser.hasBegun) {
      this.#fail('truncated', `${reason} after ${this.#exchange.parser.received} bytes`);
    } else this.#fail('reset', reason);
  }

  #fail(kind: FailureKind, message: string): void {
    const exchange = this.#exchange;
    this.#exchange = undefined;
    this.#isOpen = false;
    this.#socket.destroy();
    if (exchange === undefined) return;
    clearTimeout(exchange.timer);
    exchange.reject(new WireFailure(kind, message));
  }
}

import { once } from 'node:events';
import { connect, type Socket } from 'node:net';
import type { TestContext } from 'node:test';
import { withDeadline } from './with-deadline.js';

/** A TCP connection for what no HTTP client would send: half requests, slow readers, smuggling. Closed at the test's end. */
export class RawConnection {
  readonly #socket: Socket;
  #received = Buffer.alloc(0);
  #isOver = false;
  #error: Error | undefined;
  #wake: () => void = () => undefined;

  constructor(socket: Socket) {
    this.#socket = socket;
    socket.on('data', (piece) => {
      this.#received = Buffer.concat([this.#received, piece]);
      this.#wake();
    });
    socket.on('error', (error) => {
      this.#error = error;
    });
    for (const event of ['end', 'close'] as const) {
      socket.on(event, () => {
        this.#isOver = true;
        this.#wake();
      });
    }
  }

  /** Everything so far. */
  get received(): Buffer {
    return this.#received;
  }

  /** Everything so far, as text: one character a byte. */
  get text(): string {
    return this.#received.toString('latin1');
  }

  /** The server has closed its side, or the connection has broken. */
  get isOver(): boolean {
    return this.#isOver;
  }

  /** ECONNRESET and the like; undefined after a proper close. */
  get error(): Error | undefined {
    return this.#error;
  }

  send(data: string | Uint8Array): void {
    this.#socket.write(typeof data === 'string' ? Buffer.from(data, 'latin1') : data);
  }

  /** No more will be sent; reading goes on. */
  halfClose(): void {
    this.#socket.end();
  }

  /** Goes away without a word, with a TCP reset. */
  reset(): void {
    this.#socket.resetAndDestroy();
  }

  /** Goes away in both directions; what has arrived and was not read is lost. */
  close(): void {
    this.#socket.destroy();
  }

  /** Stops reading: the server's writes back up. */
  pause(): void {
    this.#socket.pause();
  }

  resume(): void {
    this.#socket.resume();
  }

  /** The text up to the pattern's first match and the match itself. Rejects when the connection is over before. */
  async readUntil(pattern: string | RegExp, timeoutMs = 10_000): Promise<string> {
    const find = () => {
      const found = typeof pattern === 'string' ? this.text.indexOf(pattern) : this.text.search(pattern);
      return found < 0 ? undefined : found;
    };
    await this.#until(
      () => find() !== undefined || this.#isOver,
      timeoutMs,
      () => `no ${pattern}`,
    );
    const at = find();
    if (at === undefined)
      throw new Error(`the connection was over before ${pattern}; received ${JSON.stringify(this.text)}`);
    const match = typeof pattern === 'string' ? pattern : (this.text.match(pattern)?.[0] ?? '');
    return this.text.slice(0, at + match.length);
  }

  /** Everything until the server closes. */
  async readToEnd(timeoutMs = 10_000): Promise<string> {
    await this.#until(
      () => this.#isOver,
      timeoutMs,
      () => 'the server did not close the connection',
    );
    return this.text;
  }

  /** Forgets what was received: the next read starts with what comes from now on. */
  forget(): void {
    this.#received = Buffer.alloc(0);
  }

  async #until(isReached: () => boolean, timeoutMs: number, describe: () => string): Promise<void> {
    const reached = new Promise<void>((resolve) => {
      this.#wake = () => {
        if (isReached()) resolve();
      };
      this.#wake();
    });
    await withDeadline(reached, timeoutMs, () => `${describe()}; received ${JSON.stringify(this.text)}`);
  }
}

/** Connects to the host and port of a URL, from an address of this machine if one is given. Rejects when it is refused. */
export async function rawConnection(
  t: TestContext,
  url: string,
  localAddress?: string,
): Promise<RawConnection> {
  const { hostname, port } = new URL(url);
  const socket = connect({
    host: hostname.replace(/^\[|\]$/g, ''),
    port: Number(port || 80),
    allowHalfOpen: true,
    noDelay: true,
    ...(localAddress !== undefined && { localAddress }),
  });
  t.after(() => socket.destroy());
  await once(socket, 'connect');
  return new RawConnection(socket);
}

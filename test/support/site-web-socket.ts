import { once } from 'node:events';
import type { TestContext } from 'node:test';
import { type RawData, WebSocket } from 'ws';
import { withDeadline } from './with-deadline.js';

const DEADLINE_MS = 20_000;

/** A real client of WebSockets, whose messages are read one after the other. Every wait has a deadline. */
export class SiteWebSocket {
  readonly #socket: WebSocket;
  readonly #closed: Promise<readonly [code: number, reason: string]>;
  readonly #messages: (string | Buffer)[] = [];
  #onMessage: () => void = () => {};

  constructor(socket: WebSocket) {
    this.#socket = socket;
    this.#closed = new Promise((resolve) => {
      socket.once('close', (code, reason) => resolve([code, reason.toString()]));
    });
    socket.on('message', (data: RawData, isBinary) => {
      this.#messages.push(isBinary ? (data as Buffer) : data.toString());
      this.#onMessage();
    });
  }

  get subprotocol(): string {
    return this.#socket.protocol;
  }

  /** What client and application agreed on, as the header says it. */
  get extensions(): string {
    return this.#socket.extensions;
  }

  get isOpen(): boolean {
    return this.#socket.readyState === WebSocket.OPEN;
  }

  send(message: string | Buffer): void {
    this.#socket.send(message);
  }

  /** What comes back for a message that is answered by one. */
  ask(message: string | Buffer): Promise<string | Buffer> {
    this.send(message);
    return this.next();
  }

  /** The next message that has not been read yet. */
  async next(): Promise<string | Buffer> {
    const arrived = new Promise<void>((resolve) => {
      this.#onMessage = resolve;
      if (this.#messages.length > 0) resolve();
    });
    await withDeadline(arrived, DEADLINE_MS, () => 'no message came');
    return this.#messages.shift() as string | Buffer;
  }

  /** What comes back in the pong. */
  async ping(data: string): Promise<string> {
    const answered = once(this.#socket, 'pong') as Promise<[Buffer]>;
    this.#socket.ping(data);
    const [pong] = await withDeadline(answered, DEADLINE_MS, () => 'no pong came');
    return pong.toString();
  }

  /** With a close frame; the answer to it is in closed(). */
  close(code: number, reason: string): void {
    this.#socket.close(code, reason);
  }

  /** As a client whose machine is switched off: no close frame. */
  vanish(): void {
    this.#socket.terminate();
  }

  /** Code and reason of the end; 1006 for an end without a close frame, 1005 for a frame without a code. */
  closed(): Promise<readonly [code: number, reason: string]> {
    return withDeadline(this.#closed, DEADLINE_MS, () => 'the WebSocket was not closed');
  }
}

/** Opens one to a site of `startEasyserve`; it ends with the test. Rejects when it is refused. */
export async function openSiteWebSocket(
  t: TestContext,
  siteUrl: string,
  path: string,
  options: { subprotocols?: string[]; headers?: Record<string, string> } = {},
): Promise<SiteWebSocket> {
  const url = new URL(path, siteUrl.replace(/^http/, 'ws'));
  const more = { headers: options.headers ?? {}, rejectUnauthorized: false };
  const socket = new WebSocket(url, options.subprotocols ?? [], more);
  t.after(() => socket.terminate());
  const opened = new SiteWebSocket(socket);
  await withDeadline(once(socket, 'open'), DEADLINE_MS, () => `${path} was not opened`);
  return opened;
}

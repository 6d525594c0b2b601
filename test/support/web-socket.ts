import { once } from 'node:events';
import type { TestContext } from 'node:test';
import { type ClientOptions, type RawData, WebSocket, WebSocketServer } from 'ws';
import { type HttpWorld, type HttpWorldOptions, makeHttpWorld, serveUpstream } from './http-world.js';
import { withDeadline } from './with-deadline.js';

/** Both ends of a WebSocket through the front. */
export interface WebSocketPair {
  readonly client: WebSocket;
  readonly application: WebSocket;
}

/** An HttpWorld whose application server takes WebSockets with the `ws` package. */
export class WebSocketWorld {
  readonly world: HttpWorld;
  readonly server: WebSocketServer;
  readonly path: string;
  readonly #t: TestContext;

  constructor(t: TestContext, parts: { world: HttpWorld; server: WebSocketServer; path: string }) {
    this.#t = t;
    this.world = parts.world;
    this.server = parts.server;
    this.path = parts.path;
  }

  get url(): string {
    return `${this.world.served.socket.url.replace(/^http/, 'ws')}socket?a=b`;
  }

  /** A client that has not connected yet. */
  client(options: ClientOptions = {}, protocols: string[] = []): WebSocket {
    const client = new WebSocket(this.url, protocols, options);
    this.#t.after(() => {
      client.on('error', () => {}); // of one that is still connecting
      client.terminate();
    });
    return client;
  }

  async open(options: ClientOptions = {}, protocols: string[] = []): Promise<WebSocketPair> {
    const client = this.client(options, protocols);
    const [[application]] = await withDeadline(
      Promise.all([once(this.server, 'connection') as Promise<[WebSocket]>, once(client, 'open')]),
      10_000,
      () => 'the WebSocket did not open',
    );
    return { client, application };
  }
}

export async function makeWebSocketWorld(
  t: TestContext,
  options: HttpWorldOptions & { perMessageDeflate?: boolean } = {},
): Promise<WebSocketWorld> {
  const { server: http, path } = await serveUpstream(t, (_request, response) => void response.end('plain'));
  const { perMessageDeflate = false, ...rest } = options;
  const server = new WebSocketServer({
    server: http,
    perMessageDeflate,
    handleProtocols: ([first]) => first ?? false,
  });
  const world = await makeHttpWorld(t, path, rest);
  t.after(() => {
    for (const socket of server.clients) socket.terminate();
  });
  return new WebSocketWorld(t, { world, server, path });
}

/** The next message. */
export async function nextMessage(socket: WebSocket): Promise<{ data: Buffer; isBinary: boolean }> {
  const [data, isBinary] = (await withDeadline(once(socket, 'message'), 10_000, () => 'no message')) as [
    RawData,
    boolean,
  ];
  return { data: data as Buffer, isBinary };
}

/** How it was closed. */
export async function closed(socket: WebSocket): Promise<{ code: number; reason: string }> {
  const [code, reason] = (await withDeadline(once(socket, 'close'), 10_000, () => 'not closed')) as [
    number,
    Buffer,
  ];
  return { code, reason: String(reason) };
}

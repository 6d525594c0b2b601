import assert from 'node:assert/strict';
import { once } from 'node:events';
import {
  createServer,
  type IncomingHttpHeaders,
  type IncomingMessage,
  type OutgoingHttpHeaders,
  request,
  type ServerResponse,
} from 'node:http';
import type { AddressInfo } from 'node:net';
import type { TestContext } from 'node:test';
import { Exchange, type Handler } from '../../src/front/exchange.js';
import { PieceBuffers } from '../../src/front/files/piece-buffers.js';
import { whenItsTurn } from '../../src/front/listen/pipelines.js';
import { eventually } from './eventually.js';
import { makeBudget } from './make-spool.js';

export interface Answer {
  readonly status: number;
  readonly headers: IncomingHttpHeaders;
  readonly body: Buffer;
}

export interface Ask {
  readonly method?: string;
  readonly headers?: OutgoingHttpHeaders;
}

export interface StalledAnswer {
  readonly body: IncomingMessage;
  readonly exchange: Exchange;
}

/** A real server whose whole pipeline is one handler; what the handler doesn't take is answered with 299. */
export class ServedHandler {
  readonly port: number;
  /** In order of arrival. */
  readonly exchanges: Exchange[];

  constructor(port: number, exchanges: Exchange[]) {
    this.port = port;
    this.exchanges = exchanges;
  }

  /** The path goes out as it is given. Rejects when the connection is cut, or after ten seconds. */
  async ask(path: string, { method = 'GET', headers = {} }: Ask = {}): Promise<Answer> {
    const response = await this.#open(path, { method, headers });
    const chunks: Buffer[] = [];
    for await (const chunk of response) chunks.push(chunk);
    return { status: response.statusCode ?? 0, headers: response.headers, body: Buffer.concat(chunks) };
  }

  /**
   * Asks as the only client for something large and reads none of the body. Resolves once the server can do
   * no more, since every buffer on the way is full. The caller reads the body, or destroys it and so goes
   * away.
   */
  async stall(path: string): Promise<StalledAnswer> {
    const body = await this.#open(path, { method: 'GET', headers: { Connection: 'keep-alive' } });
    let bytesBefore = -1;
    const exchange = await eventually(() => {
      const current = this.exchanges.at(-1);
      const isMoving = current?.bodyBytes !== bytesBefore;
      bytesBefore = current?.bodyBytes ?? 0;
      assert.ok(current?.response.writableNeedDrain && !isMoving, 'still sending');
      return current;
    });
    return { body, exchange };
  }

  async #open(
    path: string,
    more: { method: string; headers: OutgoingHttpHeaders },
  ): Promise<IncomingMessage> {
    const signal = AbortSignal.timeout(10_000);
    const outgoing = request({ port: this.port, host: '127.0.0.1', path, ...more, agent: false, signal });
    outgoing.end();
    const [response] = await once(outgoing, 'response');
    return response;
  }
}

/** Reads a body to its end and says how long it was; rejects when it is cut. */
export async function drain(body: IncomingMessage): Promise<number> {
  let bytes = 0;
  for await (const chunk of body) bytes += chunk.length;
  return bytes;
}

/** Serves until the test ends. */
export async function serveHandler(t: TestContext, handler: Handler): Promise<ServedHandler> {
  const exchanges: Exchange[] = [];
  const pieceBuffers = new PieceBuffers(makeBudget());
  const server = createServer((request, response) => {
    whenItsTurn(response, () => {
      const exchange = makeExchange(request, response, `test-${exchanges.length + 1}`, pieceBuffers);
      exchanges.push(exchange);
      if (!handler(exchange)) exchange.respond(299, []);
    });
  });
  // Never: a body that is ended too early must not look like a connection that is cut.
  server.keepAliveTimeout = 0;
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  t.after(async () => {
    server.closeAllConnections();
    server.close();
    await once(server, 'close');
  });
  return new ServedHandler((server.address() as AddressInfo).port, exchanges);
}

function makeExchange(
  request: IncomingMessage,
  response: ServerResponse,
  id: string,
  pieceBuffers: PieceBuffers,
): Exchange {
  const { remoteAddress = '', remotePort = 0 } = request.socket;
  const { host = '' } = request.headers;
  return new Exchange(request, response, {
    id,
    pieceBuffers,
    client: {
      address: remoteAddress,
      port: remotePort,
      scheme: 'http',
      host,
      isPeerTrusted: false,
      isProxy: false,
      believedHeaders: new Set<string>(),
    },
    startedAtMs: performance.now(),
    target: request.url ?? '/',
  });
}

import http, { type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { Socket } from 'node:net';
import type { Clock } from '../clock.js';
import type { Log } from '../log/log.js';
import type { Settings } from '../settings/settings.js';
import { answerClientError } from './client-error.js';
import { readClientFacts } from './client-facts.js';
import { respondWithErrorPage } from './error-page.js';
import { Exchange, type Handler } from './exchange.js';
import type { SocketHandle } from './listening-socket.js';
import { RequestIds } from './request-ids.js';
import { whenItsTurn } from './response-turn.js';
import { TrustedProxies } from './trusted-proxies.js';

/** nginx's number for a client that left before its answer; only the access log shows it. */
const CLIENT_CLOSED = 499;
const BACKLOG = 2048;

/**
 * The HTTP side of a site: its listeners, and the way of each request through the pipeline into the access log.
 *
 * Created by Site. configure() puts new settings and handlers in force for the requests that follow; a listener is
 * never closed by that.
 */
export class Front {
  readonly #clock: Clock;
  readonly #log: Log;
  readonly #ids = new RequestIds();
  readonly #servers = new Set<Server>();
  #settings: Settings;
  #trusted: TrustedProxies;
  #handlers: readonly Handler[] = [];
  #connections = 0;
  #isStopping = false;

  constructor(settings: Settings, clock: Clock, log: Log) {
    this.#settings = settings;
    this.#trusted = new TrustedProxies(settings.trustedProxies);
    this.#clock = clock;
    this.#log = log;
  }

  get connections(): number {
    return this.#connections;
  }

  configure(settings: Settings, handlers: readonly Handler[]): void {
    this.#settings = settings;
    this.#trusted = new TrustedProxies(settings.trustedProxies);
    this.#handlers = handlers;
    for (const server of this.#servers) applyLimits(server, settings);
  }

  /** Accepts on a bound socket, in place of those it accepted on before; their connections go on. */
  async listen(handle: SocketHandle): Promise<void> {
    const previous = [...this.#servers];
    const server = this.#createServer();
    await new Promise<void>((resolve, reject) => {
      server.once('error', reject);
      server.listen(handle, BACKLOG, () => {
        server.off('error', reject);
        resolve();
      });
    });
    server.on('error', (error) => {
      this.#log.error('listener-error', 'the listening socket failed', { error: error.message });
    });
    this.#servers.add(server);
    for (const old of previous) old.close(() => this.#servers.delete(old));
  }

  /** Accepts no more, and closes each connection after the answer that is under way on it. */
  stopAccepting(): void {
    this.#isStopping = true;
    for (const server of this.#servers) server.close();
    this.#closeIdleConnections();
  }

  /** Cuts what is left. */
  closeConnections(): void {
    for (const server of this.#servers) server.closeAllConnections();
  }

  // Private

  #closeIdleConnections(): void {
    for (const server of this.#servers) server.closeIdleConnections();
  }

  #createServer(): Server {
    const server = http.createServer({ maxHeaderSize: this.#settings.maxHeaderBytes, requestTimeout: 0 });
    applyLimits(server, this.#settings);
    const onRequest = (request: IncomingMessage, response: ServerResponse): void =>
      whenItsTurn(response, () => this.#handle(request, response));
    server.on('request', onRequest);
    // Without these two Node answers by itself, before anyone has looked at the request.
    server.on('checkContinue', onRequest);
    server.on('checkExpectation', onRequest);
    server.on('clientError', (error: NodeJS.ErrnoException, socket) =>
      answerClientError(error, socket as Socket, this.#log),
    );
    server.on('connection', (socket: Socket) => {
      this.#connections += 1;
      socket.setNoDelay(true);
      socket.once('close', () => {
        this.#connections -= 1;
      });
    });
    return server;
  }

  #handle(request: IncomingMessage, response: ServerResponse): void {
    const client = readClientFacts(request, 'http', this.#trusted);
    const given = client.isPeerTrusted ? request.headers['x-request-id'] : undefined;
    const exchange = new Exchange(request, response, {
      id: this.#ids.next(given),
      client,
      startedAtMs: this.#clock.now(),
      target: originForm(request.url ?? '/'),
    });
    response.once('close', () => this.#onClosed(exchange));
    if (this.#isStopping) response.shouldKeepAlive = false;
    if (!exchange.path.startsWith('/')) {
      respondWithErrorPage(exchange, 400, 'The address of this page is malformed.');
      return;
    }
    for (const handle of this.#handlers) if (handle(exchange)) return;
    respondWithErrorPage(exchange, 404, 'There is no such page.');
  }

  #onClosed(exchange: Exchange): void {
    if (this.#isStopping) setImmediate(() => this.#closeIdleConnections());
    if (!this.#settings.accessLog) return;
    const { response } = exchange;
    this.#log.access({
      method: exchange.method,
      path: exchange.request.url ?? '',
      status: response.headersSent ? response.statusCode : CLIENT_CLOSED,
      bytes: exchange.bodyBytes,
      durationMs: this.#clock.now() - exchange.startedAtMs,
      requestId: exchange.id,
      client: exchange.client.address,
    });
  }
}

// Private

function applyLimits(server: Server, settings: Settings): void {
  server.headersTimeout = settings.headerTimeoutMs;
  server.keepAliveTimeout = settings.keepAliveTimeoutMs;
}

/** `GET http://example.com/path`, as a client sends it to a proxy, means /path here (RFC 9112 section 3.2.2). */
function originForm(target: string): string {
  if (target.startsWith('/')) return target;
  const absolute = /^https?:\/\/[^/?#]*/i.exec(target);
  if (absolute === null) return target;
  const rest = target.slice(absolute[0].length);
  return rest.startsWith('/') ? rest : `/${rest}`;
}

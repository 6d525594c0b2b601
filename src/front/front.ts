import http, { type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import net, { type Socket } from 'node:net';
import type { Clock } from '../clock.js';
import type { Log } from '../log/log.js';
import type { Settings } from '../settings/settings.js';
import { answerClientError, refuseTunnel } from './client-error.js';
import { readClientFacts } from './client-facts.js';
import { respondWithErrorPage } from './error-page.js';
import { Exchange, type Handler } from './exchange.js';
import { answerHandlerFailure } from './handler-failure.js';
import type { SocketHandle } from './listening-socket.js';
import { RequestIds } from './request-ids.js';
import { whenItsTurn } from './response-turn.js';
import { TrustedProxies } from './trusted-proxies.js';

/** nginx's number for a client that left before its answer; only the access log shows it. */
const CLIENT_CLOSED = 499;
const BACKLOG = 2048;
/** How often Node looks for connections beyond their limits; its own default would let slow headers take 30 s more. */
const CHECK_MS = 1000;
/** What a client that has just connected gets for its first request when the site stops. */
const REQUEST_GRACE_MS = 1000;

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
  /** Open connections -> when they were accepted. */
  readonly #sockets = new Map<Socket, number>();
  /** What is being answered. */
  readonly #exchanges = new Set<Exchange>();
  #isStopping = false;
  #onQuiet: (() => void) | undefined;

  constructor(settings: Settings, clock: Clock, log: Log) {
    this.#settings = settings;
    this.#trusted = new TrustedProxies(settings.trustedProxies);
    this.#clock = clock;
    this.#log = log;
  }

  get connections(): number {
    return this.#sockets.size;
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
    for (const old of previous) this.#stopListening(old);
  }

  /**
   * Closes the listening socket, and resolves when every request has its answer and every connection is closed, or at
   * the deadline.
   *
   * Connections that wait for their next request are closed at once. One that was just made gets a moment for its first,
   * for the client takes the connection as a promise.
   */
  async drain(timeoutMs: number): Promise<void> {
    this.#isStopping = true;
    // Node has just looked for new connections when this phase of its event loop comes: the kernel's queue, which
    // closing the socket would reset, is as empty as it gets.
    await new Promise((resolve) => setImmediate(resolve));
    for (const server of this.#servers) server.close();
    for (const { response } of this.#exchanges) response.shouldKeepAlive = false;
    const startedAtMs = this.#clock.now();
    // Browsers connect ahead of time, and may never ask for anything.
    this.#closeUnused(
      (socket, acceptedAtMs) => socket.bytesRead === 0 && startedAtMs - acceptedAtMs > REQUEST_GRACE_MS,
    );
    const endGrace = this.#clock.after(REQUEST_GRACE_MS, () => this.#closeUnused(() => true));
    await new Promise<void>((resolve) => {
      const cancel = this.#clock.after(timeoutMs, resolve);
      this.#onQuiet = () => {
        cancel();
        resolve();
      };
      this.#checkQuiet();
    });
    endGrace();
  }

  /** Cuts what is left. */
  closeConnections(): void {
    for (const server of this.#servers) server.closeAllConnections();
  }

  // Private

  /** For good, but its connections go on: http.Server.close() would close those that are idle. */
  #stopListening(server: Server): void {
    net.Server.prototype.close.call(server, () => {
      server.close(); // ends its watch over slow requests
      this.#servers.delete(server);
    });
  }

  /** Connections without a request. */
  #closeUnused(isDue: (socket: Socket, acceptedAtMs: number) => boolean): void {
    const used = new Set([...this.#exchanges].map(({ request }) => request.socket));
    for (const [socket, acceptedAtMs] of this.#sockets) {
      if (!used.has(socket) && isDue(socket, acceptedAtMs)) socket.destroy();
    }
  }

  #checkQuiet(): void {
    if (this.#sockets.size === 0) this.#onQuiet?.();
  }

  #closeIdleConnections(): void {
    for (const server of this.#servers) server.closeIdleConnections();
  }

  #createServer(): Server {
    const server = http.createServer({ requestTimeout: 0, connectionsCheckingInterval: CHECK_MS });
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
    server.on('connect', (_request, socket) => refuseTunnel(socket as Socket));
    server.on('connection', (socket: Socket) => {
      this.#sockets.set(socket, this.#clock.now());
      socket.setNoDelay(true);
      socket.once('close', () => {
        this.#sockets.delete(socket);
        this.#checkQuiet();
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
      target: originForm(request.url ?? '/', request.headers.host ?? ''),
    });
    this.#exchanges.add(exchange);
    response.once('close', () => this.#onClosed(exchange));
    if (this.#isStopping) response.shouldKeepAlive = false;
    // Asks whether the server is there (RFC 9110 section 9.3.7).
    if (exchange.method === 'OPTIONS' && exchange.path === '*') exchange.respond(204, []);
    else if (!exchange.path.startsWith('/')) {
      respondWithErrorPage(exchange, 400, 'The address of this page is malformed.');
    } else this.#answer(exchange);
  }

  #answer(exchange: Exchange): void {
    try {
      for (const handle of this.#handlers) if (handle(exchange)) return;
      respondWithErrorPage(exchange, 404, 'There is no such page.');
    } catch (error) {
      answerHandlerFailure(exchange, error, this.#log);
    }
  }

  #onClosed(exchange: Exchange): void {
    this.#exchanges.delete(exchange);
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
  // An option that Node reads anew for each connection; its types know it as a parameter of createServer only.
  Object.assign(server, { maxHeaderSize: settings.maxHeaderBytes });
}

/**
 * `GET http://example.com/path`, as a client sends it to a proxy, means /path here. Its host goes before the Host header, but
 * must be the same (RFC 9112 sections 3.2 and 3.2.2): one that differs is left as it is, which is no path.
 */
function originForm(target: string, host: string): string {
  if (target.startsWith('/')) return target;
  const [, authority, rest] = /^https?:\/\/([^/?#]*)(.*)$/i.exec(target) ?? [];
  if (authority === undefined || rest === undefined) return target;
  if (host !== '' && host.toLowerCase() !== authority.toLowerCase()) return target;
  return rest.startsWith('/') ? rest : `/${rest}`;
}

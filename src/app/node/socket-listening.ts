import { Server as HttpServer, type IncomingMessage } from 'node:http';
import { Server as HttpsServer } from 'node:https';
import { Server } from 'node:net';
import type { NodeOrder } from '../../contracts/node-order.js';
import { showClient } from './client-of-request.js';
import { describeAddress, type ListenWish, readListenWish } from './listen-wish.js';

export interface ListeningObserver {
  onListening(): void;
  onRefused(server: Server, refusal: Refusal): void;
}

/** The application wants what can't be. */
export interface Refusal {
  /** Without a full stop. */
  readonly reason: string;
  readonly hint: string;
}

/** The front closes an idle connection after a few seconds; only when it is the first of both, no request is lost. */
const KEEP_ALIVE_MS = 75_000;
const requestEvents = new Set<unknown>([
  'request',
  'upgrade',
  'connect',
  'checkContinue',
  'checkExpectation',
]);

type Listen = (...args: unknown[]) => Server;

/**
 * Puts the application's HTTP server on easyserve's socket, whatever port it names. Made by HostedApplication.
 *
 * Other servers (TCP without HTTP) listen where they want.
 */
export class SocketListening {
  readonly #order: NodeOrder;
  readonly #observer: ListeningObserver;
  readonly #listen = Server.prototype.listen as unknown as Listen;
  #site: HttpServer | undefined;
  #sitePort: number | undefined;
  /** The server of an exported application: gives way to one that the application makes itself, later. */
  #standIn: HttpServer | undefined;

  constructor(order: NodeOrder, observer: ListeningObserver) {
    this.#order = order;
    this.#observer = observer;
    const serve = (server: Server, args: unknown[]): Server => this.#serve(server, args);
    Server.prototype.listen = function (this: Server, ...args: unknown[]): Server {
      return serve(this, args);
    } as unknown as Server['listen'];
  }

  /** The server that the front reaches; undefined while there is none. */
  get site(): HttpServer | undefined {
    return this.#site?.listening ? this.#site : undefined;
  }

  /** `listen` makes a server listen, of an application that was exported and has not called listen itself. */
  listenFor(listen: () => unknown): void {
    listen();
    this.#standIn = this.#site;
  }

  // Private

  #serve(server: Server, args: unknown[]): Server {
    const language = describeForeign(server);
    if (language !== undefined) {
      this.#observer.onRefused(server, {
        reason: `it listens for ${language}, which easyserve does itself`,
        hint: 'Let it listen with http.createServer() of node:http; a certificate goes into the settings: tlsCert and tlsKey, or a domain.',
      });
      return server;
    }
    const wish = readListenWish(args);
    // A port that is none is left to Node, which says so.
    if (!(server instanceof HttpServer) || (wish.port ?? 0) > 65_535) {
      return this.#listen.apply(server, args);
    }
    const { site } = this;
    if (site === undefined) return this.#serveSite(server, wish);
    if (site === this.#standIn) return this.#replaceStandIn(site, server, wish);
    if (site === server) return this.#listen.apply(server, args); // throws, as Node does
    if (wish.port !== undefined && wish.port === this.#sitePort) return pretendToListen(server, wish);
    const [first, second] = [this.#sitePort, wish.port].map((port) =>
      port ? `port ${port}` : 'another one',
    );
    this.#observer.onRefused(server, {
      reason: `it listens twice, on ${first} and on ${second}`,
      hint: 'One server is the site. What the other one does can be a path of it, or a program of its own.',
    });
    return server;
  }

  #serveSite(server: HttpServer, wish: ListenWish): Server {
    this.#site = server;
    const address = describeAddress(wish, this.#order.port);
    this.#sitePort = address.port;
    server.address = () => (server.listening ? address : null);
    if (server.keepAliveTimeout > 0)
      server.keepAliveTimeout = Math.max(server.keepAliveTimeout, KEEP_ALIVE_MS);
    // The front has the limits for slow clients, and an upload may take its time.
    server.requestTimeout = 0;
    server.headersTimeout = 0;
    showClients(server);
    if (wish.callback !== undefined) server.once('listening', wish.callback);
    server.once('listening', () => this.#observer.onListening());
    return this.#listen.call(server, { path: this.#order.socketPath });
  }

  /** In one turn of the event loop: the socket's file is removed and made again, and nobody is refused in between. */
  #replaceStandIn(standIn: HttpServer, server: HttpServer, wish: ListenWish): Server {
    this.#standIn = undefined;
    if (standIn === server) {
      if (wish.callback !== undefined) process.nextTick(wish.callback);
      return server;
    }
    standIn.close();
    return this.#serveSite(server, wish);
  }
}

// Private

/** What a server speaks that the front does not pass on; undefined: HTTP, or no HTTP at all. */
function describeForeign(server: Server): string | undefined {
  if (server instanceof HttpsServer) return 'HTTPS';
  const { name } = server.constructor;
  return name === 'Http2Server' || name === 'Http2SecureServer' ? 'HTTP/2' : undefined;
}

/** On the server itself and not as a listener: a listener for `upgrade` would change what Node does with such requests. */
function showClients(server: HttpServer): void {
  const { emit } = server;
  server.emit = function (this: HttpServer, event: string, ...args: unknown[]): boolean {
    if (requestEvents.has(event)) showClient(args[0] as IncomingMessage);
    return Reflect.apply(emit, this, [event, ...args]) as boolean;
  } as HttpServer['emit'];
}

/**
 * The same port once more: a second server for another address of this machine, as Fastify makes one for each that
 * `localhost` has. Nobody connects to it.
 */
function pretendToListen(server: HttpServer, wish: ListenWish): Server {
  const address = describeAddress(wish, 0);
  const handle = {
    close: (done?: () => void) => done && process.nextTick(done),
    ref: () => {},
    unref: () => {},
  };
  // What `listening` and close() look at (lib/net.js).
  Object.assign(server, { _handle: handle, address: () => (server.listening ? address : null) });
  if (wish.callback !== undefined) server.once('listening', wish.callback);
  process.nextTick(() => server.listening && server.emit('listening'));
  return server;
}

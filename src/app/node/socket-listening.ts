import { Server as HttpServer, type IncomingMessage } from 'node:http';
import { Server as HttpsServer } from 'node:https';
import { Server } from 'node:net';
import type { NodeOrder } from '../../contracts/node-order.js';
import {
  describeAddress,
  type ListenArguments,
  pretendToListen,
  readListenArguments,
} from './listen-arguments.js';
import { type Listen, listenWhenFree } from './own-port.js';
import { linkSocket } from './path-link.js';

export interface ListeningObserver {
  onListening(): void;
  onRefused(server: Server, refusal: Refusal): void;
}

/** Why a server may not listen. */
export interface Refusal {
  /** Without a full stop. */
  readonly reason: string;
  readonly hint: string;
}

/** Longer than the front's: the side that closes an idle connection must be the one that sends, or a request is lost. */
const KEEP_ALIVE_MS = 75_000;
const requestEvents = new Set<unknown>([
  'request',
  'upgrade',
  'connect',
  'checkContinue',
  'checkExpectation',
]);

/**
 * Puts the application's HTTP server on easyserve's socket, whatever port or path it names.
 *
 * Others listen where they want: TCP without HTTP, the ports of the setting appPorts, and what listens beside a site on PORT.
 */
export class SocketListening {
  readonly #order: NodeOrder;
  readonly #observer: ListeningObserver;
  readonly #listen = Server.prototype.listen as unknown as Listen;
  #site: HttpServer | undefined;
  #sitePort: number | undefined;
  /** The server of an exported application: one that the application makes itself, later, replaces it. */
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

  /** `listen` makes the server of an application listen that was exported and has not called listen itself. */
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
    const wanted = readListenArguments(args);
    // A number that is no port is left to Node, whose error says so.
    if (!(server instanceof HttpServer) || (wanted.port ?? 0) > 65_535) {
      return listenWhenFree(server, args, wanted, this.#listen);
    }
    if (this.#order.appPorts.includes(wanted.port ?? 0)) {
      return listenWhenFree(server, args, wanted, this.#listen);
    }
    const { site } = this;
    if (site === undefined) return this.#serveSite(server, wanted);
    if (site === this.#standIn) return this.#replaceStandIn(site, server, wanted);
    if (site === server) return this.#listen.apply(server, args); // throws, as Node does
    if (wanted.port !== undefined && wanted.port === this.#sitePort) return pretendToListen(server, wanted);
    if (this.#sitePort === this.#order.port) return listenWhenFree(server, args, wanted, this.#listen);
    this.#observer.onRefused(server, describeTwo(this.#sitePort, wanted));
    return server;
  }

  #serveSite(server: HttpServer, wanted: ListenArguments): Server {
    this.#site = server;
    const address = describeAddress(wanted, this.#order.port);
    this.#sitePort = wanted.path === undefined ? address.port : undefined;
    const { path } = wanted;
    server.address = () => (server.listening ? (path ?? address) : null);
    if (path !== undefined) server.once('listening', () => linkSocket(path, this.#order.socketPath));
    if (server.keepAliveTimeout > 0)
      server.keepAliveTimeout = Math.max(server.keepAliveTimeout, KEEP_ALIVE_MS);
    // The front has the limits for slow clients, and an upload may take its time.
    server.requestTimeout = 0;
    server.headersTimeout = 0;
    showClients(server);
    if (wanted.callback !== undefined) server.once('listening', wanted.callback);
    server.once('listening', () => this.#observer.onListening());
    return this.#listen.call(server, { path: this.#order.socketPath });
  }

  /** In one turn of the event loop: the socket's file is removed and made again, and nobody is refused in between. */
  #replaceStandIn(standIn: HttpServer, server: HttpServer, wanted: ListenArguments): Server {
    this.#standIn = undefined;
    if (standIn === server) {
      if (wanted.callback !== undefined) process.nextTick(wanted.callback);
      return server;
    }
    standIn.close();
    return this.#serveSite(server, wanted);
  }
}

// Private

/** Which of the two visitors are meant to reach, only a person knows. */
function describeTwo(sitePort: number | undefined, { port, path }: ListenArguments): Refusal {
  const first = sitePort ? `port ${sitePort}` : 'a Unix socket';
  const second = path ?? (port ? `port ${port}` : 'another one');
  const own = [sitePort, port].filter(Boolean).join(' or ');
  return {
    reason: `it listens twice, on ${first} and on ${second}`,
    hint: `Name the one that is not the site: easyserve start --set appPorts=${own === '' ? 'PORT' : own}`,
  };
}

/** The protocol of a server that the front can't reach; undefined: HTTP/1, or no HTTP at all. */
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
 * Gives each request's connection the client's address and the mark of TLS, because on easyserve's socket it has neither, and
 * applications that don't trust a proxy (Express without `trust proxy`) would see no client at all.
 *
 * The headers are the front's own; what the client sent of that kind has been dropped (front/upstream/request-headers).
 * For each request and not for each connection, which serves one client after another.
 */
function showClient({ headers, socket }: IncomingMessage): void {
  const address = headers['x-forwarded-for'];
  if (typeof address !== 'string') return;
  show(socket, 'remoteAddress', address);
  show(socket, 'remoteFamily', address.includes(':') ? 'IPv6' : 'IPv4');
  show(socket, 'encrypted', headers['x-forwarded-proto'] === 'https');
}

function show(socket: object, name: string, value: unknown): void {
  Object.defineProperty(socket, name, { value, configurable: true, enumerable: true, writable: true });
}

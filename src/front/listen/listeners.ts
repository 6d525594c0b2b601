import type { Server } from 'node:http';
import net, { type Socket } from 'node:net';
import { TLSSocket } from 'node:tls';
import type { Clock } from '../../contracts/clock.js';
import type { Scheme } from '../../contracts/scheme.js';
import type { TlsMaterial } from '../../contracts/tls-material.js';
import type { Log } from '../../log/log.js';
import type { Settings } from '../../settings/settings.js';
import type { SocketHandle } from '../../sockets/socket-handle.js';
import { type ClientRequest, type ClientResponse, peerOf } from '../client-message.js';
import { applyLimits, createHttp1Server } from './http1-server.js';
import { Http2Server } from './http2/http2-server.js';
import { TlsAcceptor } from './tls/tls-acceptor.js';

const BACKLOG = 2048;

export interface ListenersOptions {
  /** Asked anew at each use, because a reload changes them. */
  readonly settings: () => Settings;
  readonly clock: Clock;
  readonly log: Log;
  readonly onRequest: (
    request: ClientRequest,
    response: ClientResponse,
    more: { readonly scheme: Scheme; readonly isUpgrade: boolean },
  ) => void;
  /** A connection has ended. */
  readonly onClosed: () => void;
}

/**
 * What a front listens on, and the connections from there: HTTP/1 on a plain socket; on a secure one TLS, and in it
 * HTTP/1 or HTTP/2 as the client chooses.
 */
export class Listeners {
  readonly #options: ListenersOptions;
  /** After a change of the address the earlier ones too, until their connections have ended. */
  readonly #servers = new Map<Server, Scheme>();
  /** Open TCP connections -> when they were accepted. */
  readonly #sockets = new Map<Socket, number>();
  readonly #http2: Http2Server;
  #acceptor: TlsAcceptor | undefined;

  constructor(options: ListenersOptions) {
    this.#options = options;
    this.#http2 = new Http2Server({
      settings: options.settings,
      clock: options.clock,
      onRequest: (request, response) =>
        options.onRequest(request, response, { scheme: 'https', isUpgrade: false }),
      onError: (error) =>
        options.log.debug('protocol-error', 'a client broke the rules of HTTP/2', { error: error.message }),
    });
  }

  get connections(): number {
    return this.#sockets.size;
  }

  applyLimits(settings: Settings): void {
    for (const server of this.#servers.keys()) applyLimits(server, settings);
  }

  /** Handshakes that begin from now on see it. Throws what OpenSSL says of a certificate that it cannot use. */
  useTls(material: TlsMaterial): void {
    const { clock, log, settings } = this.#options;
    if (this.#acceptor !== undefined) {
      this.#acceptor.use(material);
      return;
    }
    this.#acceptor = new TlsAcceptor(material, {
      clock,
      isHttp2Offered: () => settings().http2,
      handshakeTimeoutMs: settings().headerTimeoutMs,
      onConnection: (socket) => this.#onSecured(socket),
      onFailure: (error) =>
        log.debug('tls-failed', 'a client broke off, or could not agree on, TLS', { error: error.message }),
    });
  }

  /** Accepts on a bound socket, in place of those it accepted on before for the same scheme; their connections go on. */
  async listen(scheme: Scheme, handle: SocketHandle): Promise<void> {
    const server = this.#createServer(scheme);
    await new Promise<void>((resolve, reject) => {
      server.once('error', reject);
      server.listen(handle, BACKLOG, () => {
        server.off('error', reject);
        resolve();
      });
    });
    server.on('error', (error) => {
      this.#options.log.error('listener-error', 'the listening socket failed', { error: error.message });
    });
    this.unlisten(scheme);
    this.#servers.set(server, scheme);
  }

  /** Accepts no more; connections go on. */
  unlisten(scheme: Scheme): void {
    for (const [server, of] of this.#servers) if (of === scheme) this.#stopListening(server);
  }

  /** Closes the listening sockets. Connections that wait for their next request are closed, others after their answer. */
  close(): void {
    for (const server of this.#servers.keys()) server.close();
    this.#http2.drain();
  }

  /** Connections of HTTP/1, or with a handshake under way, that are not among `used`. */
  closeUnused(used: ReadonlySet<string>, isDue: (socket: Socket, acceptedAtMs: number) => boolean): void {
    const busy = new Set([...used, ...this.#http2.peers()]);
    for (const [socket, acceptedAtMs] of this.#sockets) {
      if (!busy.has(peerOf(socket)) && isDue(socket, acceptedAtMs)) socket.destroy();
    }
  }

  closeIdleConnections(): void {
    for (const server of this.#servers.keys()) server.closeIdleConnections();
  }

  /** Cuts what is left; Node's closeAllConnections() knows nothing of WebSockets. */
  cutConnections(): void {
    this.#http2.close();
    for (const socket of this.#sockets.keys()) socket.destroy();
  }

  // Private

  /** For good, but its connections go on: http.Server.close() would close those that are idle. */
  #stopListening(server: Server): void {
    net.Server.prototype.close.call(server, () => {
      server.close(); // ends its watch over slow requests
      this.#servers.delete(server);
    });
  }

  #createServer(scheme: Scheme): Server {
    const { settings, onRequest, log } = this.#options;
    const server = createHttp1Server(
      settings(),
      (request, response, isUpgrade) => onRequest(request, response, { scheme, isUpgrade }),
      log,
    );
    if (scheme === 'https') this.#divert(server);
    server.prependListener('connection', (socket: Socket) => this.#watch(socket));
    return server;
  }

  /** The server's own listener of `connection` parses HTTP: it gets only connections after TLS; new ones go to the acceptor. */
  #divert(server: Server): void {
    const parse = server.listeners('connection') as ((this: Server, socket: Socket) => void)[];
    server.removeAllListeners('connection');
    server.on('connection', (socket: Socket) => {
      if (socket instanceof TLSSocket) for (const listener of parse) listener.call(server, socket);
      else if (this.#acceptor === undefined) socket.destroy();
      else this.#acceptor.accept(socket);
    });
  }

  #onSecured(socket: TLSSocket): void {
    socket.on('error', () => {}); // 'close' follows
    if (socket.alpnProtocol === 'h2') {
      this.#http2.accept(socket);
      return;
    }
    const [server] = [...this.#servers].filter(([, scheme]) => scheme === 'https').at(-1) ?? [];
    if (server === undefined) socket.destroy();
    else server.emit('connection', socket);
  }

  #watch(socket: Socket): void {
    // A TLSSocket runs over a connection that is counted already; upgrade.ts gives one back that is.
    if (socket instanceof TLSSocket || this.#sockets.has(socket)) return;
    this.#sockets.set(socket, this.#options.clock.now());
    socket.setNoDelay(true);
    socket.once('close', () => {
      this.#sockets.delete(socket);
      this.#options.onClosed();
    });
  }
}

import type { Server } from 'node:http';
import net, { type Socket } from 'node:net';
import { TLSSocket } from 'node:tls';
import type { Clock } from '../../contracts/clock.js';
import type { Scheme } from '../../contracts/scheme.js';
import type { TlsMaterial } from '../../contracts/tls-material.js';
import type { Log } from '../../log/log.js';
import type { Settings } from '../../settings/settings.js';
import type { DescriptorLimit } from '../../sockets/descriptor-limit.js';
import { isLocalOnly, listenOn, type SocketHandle } from '../../sockets/socket-handle.js';
import type { BufferBudget } from '../buffers/buffer-budget.js';
import {
  type ClientRequest,
  type ClientResponse,
  nameUnixPeer,
  peerAddressOf,
  peerOf,
} from '../client-message.js';
import { Connections, type ProxiedClient, type Silence } from './connections.js';
import { applyLimits, createHttp1Server } from './http1-server.js';
import { Http2Server } from './http2/http2-server.js';
import { readProxyHeader } from './read-proxy-header.js';
import { ConnectionRefusal } from './refuse-connection.js';
import { RequestRules } from './request-rules.js';
import { SlowReaders } from './slow-readers.js';
import { TlsAcceptor } from './tls/tls-acceptor.js';

const BACKLOG = 2048;

export interface ListenersOptions {
  /** Asked anew at each use, because a reload changes them. */
  readonly settings: () => Settings;
  readonly clock: Clock;
  readonly log: Log;
  readonly descriptors: DescriptorLimit;
  /** Of trustedProxies. */
  readonly isTrusted: (address: string) => boolean;
  /** The same, but only where it counts without a word about others. */
  readonly isProxy: (address: string) => boolean;
  readonly budget: BufferBudget;
  readonly onRequest: (
    request: ClientRequest,
    response: ClientResponse,
    more: { readonly scheme: Scheme; readonly isUpgrade: boolean },
  ) => void;
  /** A connection has ended. */
  readonly onClosed: () => void;
  /** isLocalOnly may have changed. */
  readonly onMoved: () => void;
}

/**
 * What a front listens on, and the connections from there: HTTP/1 on a plain socket; on a secure one TLS, and in it
 * HTTP/1 or HTTP/2 as the client chooses.
 */
export class Listeners {
  readonly #options: ListenersOptions;
  readonly #rules: RequestRules;
  /** After a change of the address the earlier ones too, until their connections have ended. */
  readonly #servers = new Map<Server, { readonly scheme: Scheme; readonly isLocal: boolean }>();
  readonly #connections: Connections;
  readonly #refusal: ConnectionRefusal;
  readonly #slowReaders: SlowReaders;
  readonly #http2: Http2Server;
  #acceptor: TlsAcceptor | undefined;

  constructor(options: ListenersOptions) {
    this.#options = options;
    this.#connections = new Connections(options);
    this.#refusal = new ConnectionRefusal(options.clock);
    this.#slowReaders = new SlowReaders(options);
    this.#rules = new RequestRules(options.settings());
    this.#http2 = new Http2Server({
      rules: this.#rules,
      slowReaders: this.#slowReaders,
      settings: options.settings,
      clock: options.clock,
      onRequest: (request, response) =>
        options.onRequest(request, response, { scheme: 'https', isUpgrade: false }),
      onError: (error) =>
        options.log.debug('protocol-error', 'a client broke the rules of HTTP/2', { error: error.message }),
    });
  }

  get connections(): number {
    return this.#connections.size;
  }

  /** See Connections. */
  begin(peer: string): () => void {
    return this.#connections.begin(peer);
  }

  /** See Connections. */
  speaksForOthers(peer: string): void {
    this.#connections.speaksForOthers(peer);
  }

  /** Whether only this machine reaches what is listened on; connections of an earlier address count while they last. */
  get isLocalOnly(): boolean {
    return this.#servers.size > 0 && [...this.#servers.values()].every(({ isLocal }) => isLocal);
  }

  /** See Connections. */
  proxiedClientOf(peer: string): ProxiedClient | 'unknown' | undefined {
    return this.#connections.proxiedClientOf(peer);
  }

  applyLimits(settings: Settings): void {
    this.#rules.use(settings);
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
    const server = this.#createServer(scheme, handle.getsockname === undefined);
    await new Promise<void>((resolve, reject) => {
      server.once('error', reject);
      server.once('listening', () => {
        server.off('error', reject);
        resolve();
      });
      listenOn(server, handle, BACKLOG);
    });
    server.on('error', (error) => {
      this.#options.log.error('listener-error', 'the listening socket failed', { error: error.message });
    });
    this.unlisten(scheme);
    this.#servers.set(server, { scheme, isLocal: isLocalOnly(handle) });
    this.#options.onMoved();
  }

  /** Accepts no more; connections go on. */
  unlisten(scheme: Scheme): void {
    for (const [server, of] of this.#servers) if (of.scheme === scheme) this.#stopListening(server);
  }

  /** Closes the listening sockets; connections go on. */
  close(): void {
    for (const server of this.#servers.keys()) this.#stopListening(server);
    this.#http2.drain();
  }

  /** Connections of HTTP/1, or with a handshake under way, that are not among `used`. */
  closeUnused(used: ReadonlySet<string>, isDue: (silence: Silence) => boolean): void {
    const busy = new Set([...used, ...this.#http2.peers()]);
    for (const socket of this.#connections.sockets()) {
      const silence = this.#connections.silenceOf(socket);
      if (silence !== undefined && !busy.has(peerOf(socket)) && isDue(silence)) socket.destroy();
    }
  }

  /** Cuts what is left; Node's closeAllConnections() knows nothing of WebSockets. */
  cutConnections(): void {
    this.#http2.close();
    this.#refusal.close();
    for (const socket of this.#connections.sockets()) socket.destroy();
  }

  // Private

  /** For good, but its connections go on: http.Server.close() would close those that are idle. */
  #stopListening(server: Server): void {
    net.Server.prototype.close.call(server, () => {
      server.close(); // ends its watch over slow requests
      this.#servers.delete(server);
      this.#options.onMoved();
    });
  }

  #createServer(scheme: Scheme, isUnix: boolean): Server {
    const { settings, clock, onRequest, log } = this.#options;
    const server = createHttp1Server({
      ...{ settings, clock, rules: this.#rules, log },
      onRequest: (request, response, isUpgrade) => onRequest(request, response, { scheme, isUpgrade }),
    });
    this.#divert(server, scheme, isUnix);
    return server;
  }

  /**
   * The server's own listeners of `connection` parse HTTP: they get a connection when it may stay, has said by PROXY whose it is, and
   * TLS is over. A connection that we have already comes from upgrade.ts.
   */
  #divert(server: Server, scheme: Scheme, isUnix: boolean): void {
    const parse = server.listeners('connection') as ((this: Server, socket: Socket) => void)[];
    server.removeAllListeners('connection');
    server.on('connection', (socket: Socket) => {
      if (isUnix && !this.#connections.has(socket)) nameUnixPeer(socket);
      const isReady = socket instanceof TLSSocket || this.#connections.has(socket);
      if (isReady) for (const listener of parse) listener.call(server, socket);
      else if (!this.#connections.admit(socket)) this.#refusal.refuse(socket, scheme);
      else this.#identify(socket, scheme, () => this.#open(server, socket, scheme));
    });
  }

  #open(server: Server, socket: Socket, scheme: Scheme): void {
    socket.setNoDelay(true);
    this.#slowReaders.watchSocket(socket, { isEncrypted: scheme === 'https' });
    if (scheme === 'http') server.emit('connection', socket);
    else if (this.#acceptor === undefined) socket.destroy();
    else this.#acceptor.accept(socket);
  }

  /** The PROXY protocol is spoken by all connections of trusted proxies or by none: a receiver must not guess. */
  #identify(socket: Socket, scheme: Scheme, onIdentified: () => void): void {
    const { settings, isTrusted, clock, log } = this.#options;
    const { proxyProtocol, headerTimeoutMs: timeoutMs } = settings();
    const peer = peerAddressOf(socket).address;
    if (!proxyProtocol || !isTrusted(peer)) {
      onIdentified();
      return;
    }
    readProxyHeader(socket, { clock, timeoutMs }, (header) => {
      if (header === undefined) {
        log.warn('proxy-header-missing', 'a trusted proxy opened a connection without a PROXY header', {
          peer,
        });
        socket.destroy();
      } else if (this.#connections.belongsTo(socket, header.client)) onIdentified();
      else this.#refusal.refuse(socket, scheme);
    });
  }

  #onSecured(socket: TLSSocket): void {
    socket.on('error', () => {}); // 'close' follows
    if (socket.alpnProtocol === 'h2') {
      this.#http2.accept(socket);
      return;
    }
    const [server] = [...this.#servers].filter(([, { scheme }]) => scheme === 'https').at(-1) ?? [];
    if (server === undefined) socket.destroy();
    else server.emit('connection', socket);
  }
}

import type { Socket } from 'node:net';
import type { Clock } from '../../contracts/clock.js';
import { Episode } from '../../log/episode.js';
import type { Log } from '../../log/log.js';
import type { Settings } from '../../settings/settings.js';
import type { DescriptorLimit } from '../../sockets/descriptor-limit.js';
import { peerAddressOf, peerOf } from '../client-message.js';
import { addressKey } from '../limits/address-key.js';
import { IdleConnections } from './idle-connections.js';

/** With more, what a connection needs of memory counts before its descriptor does. */
const MOST_BY_DESCRIPTORS = 16_384;
/** Idle connections that are closed at a time when there are too many: one at a time would be too slow for a swarm. */
const EVICTED_AT_ONCE = 16;
/**
 * An address keeps the connection that it has just made, whose request may be on its way, and gets its next one refused. Not where all
 * connections are there: there a swarm that keeps coming would leave no room for anybody in this time.
 */
const REQUEST_GRACE_MS = 1000;

export interface ConnectionsOptions {
  readonly settings: () => Pick<Settings, 'maxConnections' | 'maxConnectionsPerAddress'>;
  readonly clock: Clock;
  readonly log: Log;
  readonly descriptors: DescriptorLimit;
  /** Of trustedProxies: others stand behind it, so its connections are not counted by address. */
  readonly isProxy: (address: string) => boolean;
  readonly onClosed: () => void;
}

/** Who stands before a proxy, as its PROXY header says. */
export interface ProxiedClient {
  readonly address: string;
  readonly port: number;
}

/** Of a connection without a request. */
export interface Silence {
  /** It was accepted then, or its last answer ended. */
  readonly sinceMs: number;
  /** Something has come since then: the beginning of a request, or a TLS handshake. */
  readonly isBroken: boolean;
}

interface Connection {
  readonly socket: Socket;
  /** See peerOf; a closed socket has forgotten it. */
  readonly peer: string;
  silentSinceMs: number;
  /** What had come by then. */
  silentAtBytes: number;
  /** Undefined for a proxy. */
  client: Client | undefined;
  /** Of a PROXY header; undefined where there was none, `unknown` where the proxy has named nobody. */
  proxied: ProxiedClient | 'unknown' | undefined;
  /** Under way on it. */
  requests: number;
}

/** All connections of one address. */
interface Client {
  readonly key: string;
  connections: number;
  readonly idle: IdleConnections<Connection>;
}

/**
 * The open TCP connections of a front, and how many there may be: in all, from one address, and as far as there are descriptors.
 *
 * Beyond that idle connections go first, those that have been idle longest before others; where there is none, the new one is refused. The limit lies
 * below that of the descriptors, because accept(2) without one makes libuv close whatever waits in the kernel's queue, and says
 * nothing (uv__emfile_trick): every visitor would get a reset.
 */
export class Connections {
  readonly #options: ConnectionsOptions;
  readonly #all = new Map<Socket, Connection>();
  readonly #byPeer = new Map<string, Connection>();
  readonly #clients = new Map<string, Client>();
  readonly #idle = new IdleConnections<Connection>();
  readonly #full: Episode;
  readonly #exhausted: Episode;
  readonly #crowded: Episode<Crowd>;

  constructor(options: ConnectionsOptions) {
    this.#options = options;
    const { clock, log, descriptors } = options;
    this.#full = new Episode(
      clock,
      () =>
        log.warn(
          'connections-full',
          'there are too many connections: idle ones are closed, new ones refused',
          {
            limit: this.#limit,
            hint: 'raise maxConnections, or the limit of open files (LimitNOFILE= in systemd, ulimit -n)',
          },
        ),
      (times) => log.info('connections-free', 'there is room for connections again', { times }),
    );
    this.#exhausted = new Episode(
      clock,
      () =>
        log.error(
          'descriptors-exhausted',
          'hardly a descriptor is left: idle connections are closed, new ones refused',
          {
            limit: descriptors.max,
            hint: 'raise the limit of open files: LimitNOFILE= in systemd, ulimit -n',
          },
        ),
      (times) => log.info('descriptors-free', 'there are descriptors for new connections again', { times }),
    );
    this.#crowded = tellCrowded(clock, log);
  }

  get size(): number {
    return this.#all.size;
  }

  has(socket: Socket): boolean {
    return this.#all.has(socket);
  }

  sockets(): Iterable<Socket> {
    return this.#all.keys();
  }

  /** Undefined for a connection that is none of ours. */
  silenceOf(socket: Socket): Silence | undefined {
    const connection = this.#all.get(socket);
    if (connection === undefined) return undefined;
    const { silentSinceMs: sinceMs, silentAtBytes } = connection;
    return { sinceMs, isBroken: socket.bytesRead > silentAtBytes };
  }

  /** Takes a connection in that was just accepted. False: there is no room for it. */
  admit(socket: Socket): boolean {
    const { address } = peerAddressOf(socket);
    if (!this.#hasRoom(socket)) return false;
    const connection: Connection = {
      ...{ socket, peer: peerOf(socket), client: undefined, proxied: undefined, requests: 0 },
      ...{ silentSinceMs: this.#options.clock.now(), silentAtBytes: 0 },
    };
    if (!this.#options.isProxy(address) && !this.#attribute(connection, address)) return false;
    this.#all.set(socket, connection);
    this.#byPeer.set(connection.peer, connection);
    this.#idle.addFresh(connection);
    socket.once('close', () => this.#remove(connection));
    return true;
  }

  /** A proxy has named the client of a connection, or has said that it can't. False: that client has too many. */
  belongsTo(socket: Socket, client: ProxiedClient | undefined): boolean {
    const connection = this.#all.get(socket);
    if (connection === undefined) return false;
    connection.proxied = client ?? 'unknown';
    return client === undefined || this.#attribute(connection, client.address);
  }

  /** What a PROXY header has said of the connection of this peer (peerOf). */
  proxiedClientOf(peer: string): ProxiedClient | 'unknown' | undefined {
    return this.#byPeer.get(peer)?.proxied;
  }

  /** A request on the connection of this peer (peerOf) came for somebody else: it is a proxy's, and does not count as one client's. */
  speaksForOthers(peer: string): void {
    const connection = this.#byPeer.get(peer);
    if (connection !== undefined && connection.proxied === undefined) this.#detach(connection);
  }

  /** A request has begun on the connection of this peer (peerOf); to be called back when it is over. */
  begin(peer: string): () => void {
    const connection = this.#byPeer.get(peer);
    if (connection === undefined) return () => {};
    connection.requests += 1;
    this.#idle.delete(connection);
    connection.client?.idle.delete(connection);
    return () => this.#end(connection);
  }

  // Private

  get #limit(): number {
    const { settings, descriptors } = this.#options;
    const { maxConnections } = settings();
    return maxConnections === 'auto'
      ? Math.min(MOST_BY_DESCRIPTORS, descriptors.connections)
      : maxConnections;
  }

  #hasRoom(socket: Socket): boolean {
    // The kernel gives the lowest free number (open(2)), so that a high one says how many are in use.
    if (descriptorOf(socket) >= this.#options.descriptors.lastForClients) {
      this.#exhausted.happen();
      return this.#evict(this.#idle, EVICTED_AT_ONCE) > 0;
    }
    if (this.#all.size < this.#limit) return true;
    this.#full.happen();
    return this.#evict(this.#idle, EVICTED_AT_ONCE) > 0;
  }

  #attribute(connection: Connection, address: string): boolean {
    const { maxConnectionsPerAddress } = this.#options.settings();
    const key = addressKey(address);
    const client = this.#clients.get(key) ?? { key, connections: 0, idle: new IdleConnections<Connection>() };
    const isFull = maxConnectionsPerAddress > 0 && client.connections >= maxConnectionsPerAddress;
    if (isFull && this.#evict(client.idle, 1, this.#options.clock.now() - REQUEST_GRACE_MS) === 0) {
      this.#crowded.happen({ client: key, limit: maxConnectionsPerAddress });
      return false;
    }
    this.#clients.set(key, client);
    client.connections += 1;
    client.idle.addFresh(connection);
    connection.client = client;
    return true;
  }

  /** How many there were to close. They count no more, though their sockets take a moment. */
  #evict(idle: IdleConnections<Connection>, atMost: number, madeByMs = Number.POSITIVE_INFINITY): number {
    const chosen = idle.choose(atMost, madeByMs);
    for (const connection of chosen) {
      connection.socket.destroy();
      this.#remove(connection);
    }
    return chosen.length;
  }

  #end(connection: Connection): void {
    connection.requests -= 1;
    if (connection.requests > 0 || !this.#all.has(connection.socket)) return;
    connection.silentSinceMs = this.#options.clock.now();
    connection.silentAtBytes = connection.socket.bytesRead;
    this.#idle.addKept(connection);
    connection.client?.idle.addKept(connection);
  }

  #remove(connection: Connection): void {
    if (!this.#all.delete(connection.socket)) return;
    if (this.#byPeer.get(connection.peer) === connection) this.#byPeer.delete(connection.peer);
    this.#idle.delete(connection);
    this.#detach(connection);
    this.#options.onClosed();
  }

  #detach(connection: Connection): void {
    const { client } = connection;
    if (client === undefined) return;
    connection.client = undefined;
    client.idle.delete(connection);
    client.connections -= 1;
    if (client.connections === 0) this.#clients.delete(client.key);
  }
}

// Private

interface Crowd {
  readonly client: string;
  readonly limit: number;
}

function tellCrowded(clock: Clock, log: Log): Episode<Crowd> {
  return new Episode(
    clock,
    (facts) =>
      log.warn('client-connections-full', 'one address has too many connections: its new ones are refused', {
        ...facts,
        hint: 'raise maxConnectionsPerAddress where many visitors share an address; name a proxy in trustedProxies',
      }),
    (times) => log.info('client-connections-free', 'no address has too many connections', { times }),
  );
}

/** Node's handle of a connection has it (net.Socket has no documented way to ask). */
function descriptorOf(socket: Socket): number {
  return (socket as Socket & { _handle?: { readonly fd?: number } | null })._handle?.fd ?? -1;
}

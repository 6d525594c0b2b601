import { randomBytes } from 'node:crypto';
import type { Clock } from '../contracts/clock.js';
import { Condition } from '../contracts/condition.js';
import type { Scheme } from '../contracts/scheme.js';
import type { TlsMaterial } from '../contracts/tls-material.js';
import type { AccessRecord, Log } from '../log/log.js';
import type { Settings } from '../settings/settings.js';
import { readDescriptorLimit } from '../sockets/descriptor-limit.js';
import type { SocketHandle } from '../sockets/socket-handle.js';
import { answerDefaults, noDefaults } from './answer-defaults.js';
import type { BufferBudget } from './buffers/buffer-budget.js';
import { ProxyTrust } from './client-facts.js';
import { type ClientRequest, type ClientResponse, peerOf } from './client-message.js';
import { DroppedWords } from './dropped-words.js';
import { answerHandlerFailure, respondWithErrorPage } from './error-page.js';
import { Exchange, type Handler } from './exchange.js';
import { PieceBuffers } from './files/piece-buffers.js';
import { Listeners } from './listen/listeners.js';
import { readTarget } from './request-target.js';

/** nginx's number for a client that left before its answer; only the access log shows it. */
const CLIENT_CLOSED = 499;
const SWITCHING_PROTOCOLS = 101;
const GIVEN_ID = /^[A-Za-z0-9._-]{1,64}$/;
/** How long a client that has just connected, or had an answer, may take for its next request when the site stops. */
const REQUEST_GRACE_MS = 1000;
const LOOK_EVERY_MS = 100;

/**
 * The HTTP side of a site: its listeners, and the way of each request through the pipeline into the access log.
 *
 * configure() puts new settings and handlers in force for the requests that follow; a listener is
 * never closed by that.
 */
export class Front {
  readonly #clock: Clock;
  readonly #log: Log;
  readonly #ids = new RequestIds();
  readonly #pieceBuffers: PieceBuffers;
  readonly #listeners: Listeners;
  readonly #droppedWords: DroppedWords;
  #settings: Settings;
  #trust: ProxyTrust;
  #handlers: readonly Handler[] = [];
  #defaults = noDefaults;
  /** What is being answered. */
  readonly #exchanges = new Set<Exchange>();
  /** Notified when a request has ended or has turned out to be a stream, and when a connection is closed. */
  readonly #progress: Condition;
  #isStopping = false;

  constructor(
    settings: Settings,
    clock: Clock,
    log: Log,
    budget: BufferBudget,
    descriptors = readDescriptorLimit(),
  ) {
    this.#settings = settings;
    this.#trust = new ProxyTrust(settings);
    this.#clock = clock;
    this.#log = log;
    this.#progress = new Condition(clock);
    this.#droppedWords = new DroppedWords(log);
    this.#pieceBuffers = new PieceBuffers(budget);
    this.#listeners = new Listeners({
      settings: () => this.#settings,
      clock,
      log,
      descriptors,
      isTrusted: (address) => this.#trust.isTrusted(address),
      isProxy: (address) => this.#trust.isProxy(address),
      budget,
      onRequest: (request, response, more) => this.#handle(request, response, more),
      onClosed: () => this.#progress.notifyAll(),
      onMoved: () => this.#chooseTrust(),
    });
  }

  get connections(): number {
    return this.#listeners.connections;
  }

  configure(
    settings: Settings,
    handlers: readonly Handler[],
    errorPages: ReadonlyMap<string, string> = new Map(),
  ): void {
    this.#settings = settings;
    this.#chooseTrust();
    this.#handlers = handlers;
    this.#defaults = answerDefaults(settings, errorPages);
    this.#listeners.applyLimits(settings);
  }

  useTls(material: TlsMaterial): void {
    this.#listeners.useTls(material);
  }

  /** Accepts on a bound socket, in place of one that it accepted on before for the same scheme; connections go on. */
  listen(scheme: Scheme, handle: SocketHandle): Promise<void> {
    return this.#listeners.listen(scheme, handle);
  }

  unlisten(scheme: Scheme): void {
    this.#listeners.unlisten(scheme);
  }

  /**
   * Closes the listening socket, and resolves when every request but WebSockets and event streams has its answer and every
   * other connection is closed, or at the deadline.
   *
   * A connection that was just made, or has just had an answer, gets a moment for its next request, because the client takes
   * it as a promise: to close it while a request is on its way is to lose that request (RFC 9112 section 9.6). The answer to
   * it says that the connection ends. Those that have waited for longer are closed at once.
   */
  async drain(timeoutMs: number): Promise<void> {
    this.#isStopping = true;
    // setImmediate runs just after Node has accepted new connections: closing the socket resets those in the kernel's queue,
    // and now there are as few as possible.
    await new Promise((resolve) => setImmediate(resolve));
    for (const { response } of this.#exchanges) response.shouldKeepAlive = false;
    this.#listeners.close();
    const startedAtMs = this.#clock.now();
    this.#closeSilent(startedAtMs);
    const endLooking = this.#clock.every(LOOK_EVERY_MS, () => this.#closeSilent(startedAtMs));
    await this.#progress.waitFor(() => this.#isQuiet(), timeoutMs);
    endLooking();
  }

  /** Cuts what is left. */
  closeConnections(): void {
    this.#listeners.cutConnections();
  }

  // Private

  /** Connections with a request. */
  #peers(isCounted: (exchange: Exchange) => boolean = () => true): Set<string> {
    return new Set([...this.#exchanges].filter(isCounted).map(({ request }) => peerOf(request.socket)));
  }

  /** Closes connections without a request whose client has had its moment for one. */
  #closeSilent(drainedSinceMs: number): void {
    const now = this.#clock.now();
    this.#listeners.closeUnused(this.#peers(), ({ sinceMs, isBroken }) => {
      return now - (isBroken ? Math.max(sinceMs, drainedSinceMs) : sinceMs) >= REQUEST_GRACE_MS;
    });
  }

  /** Streams end with the application; until then their connections are not waited for. */
  #isQuiet(): boolean {
    if ([...this.#exchanges].some(({ isStream }) => !isStream)) return false;
    return this.#listeners.connections === this.#peers(({ isStream }) => isStream).size;
  }

  #chooseTrust(): void {
    this.#trust = new ProxyTrust(this.#settings, this.#listeners.isLocalOnly);
  }

  #handle(
    request: ClientRequest,
    response: ClientResponse,
    { scheme, isUpgrade }: { readonly scheme: Scheme; readonly isUpgrade: boolean },
  ): void {
    const peer = peerOf(request.socket);
    const proxied = this.#listeners.proxiedClientOf(peer);
    const client = this.#trust.read(request, scheme, proxied);
    if (client.isPeerTrusted) this.#listeners.speaksForOthers(peer);
    else if (proxied === undefined) this.#droppedWords.look(request, client);
    const given = client.isPeerTrusted ? request.headers['x-request-id'] : undefined;
    const exchange = new Exchange(request, response, {
      id: this.#ids.next(given),
      client,
      startedAtMs: this.#clock.now(),
      target: readTarget(request.url ?? '')?.path ?? '',
      isUpgrade,
      onStream: () => this.#progress.notifyAll(),
      pieceBuffers: this.#pieceBuffers,
      defaults: this.#defaults,
    });
    this.#exchanges.add(exchange);
    const end = this.#listeners.begin(peer);
    response.once('close', () => {
      end();
      this.#onClosed(exchange);
    });
    if (this.#isStopping) response.shouldKeepAlive = false;
    // Asks whether the server is there (RFC 9110 section 9.3.7).
    if (exchange.path === '*') exchange.respond(204, []);
    else this.#answer(exchange);
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
    // Here too, because over TLS the TCP connection is closed before what it carried.
    this.#progress.notifyAll();
    if (!this.#settings.accessLog) return;
    this.#log.access({
      method: exchange.method,
      path: exchange.request.url ?? '',
      status: statusOf(exchange),
      bytes: exchange.bodyBytes,
      durationMs: this.#clock.now() - exchange.startedAtMs,
      requestId: exchange.id,
      ...(exchange.applicationId !== undefined && { applicationRequestId: exchange.applicationId }),
      client: exchange.client.address,
      ...cutOf(exchange),
    });
  }
}

/** Ids of requests, unique without a random draw for each. */
export class RequestIds {
  readonly #prefix = randomBytes(5).toString('hex');
  #count = 0;

  /** `given`: the id that a trusted proxy has given this request; kept where it is harmless in a log. */
  next(given?: string | string[]): string {
    if (typeof given === 'string' && GIVEN_ID.test(given)) return given;
    this.#count += 1;
    return `${this.#prefix}-${this.#count.toString(36)}`;
  }
}

// Private

/** An answer that isn't whole has the status of one that is, because that is sent first. */
function cutOf({ isTunnel, isBrokenOff, response }: Exchange): Pick<AccessRecord, 'cut'> {
  if (isTunnel || !response.headersSent) return {};
  if (isBrokenOff) return { cut: 'application' };
  return response.writableFinished ? {} : { cut: 'connection' };
}

function statusOf({ isTunnel, response }: Exchange): number {
  if (isTunnel) return SWITCHING_PROTOCOLS;
  return response.headersSent ? response.statusCode : CLIENT_CLOSED;
}

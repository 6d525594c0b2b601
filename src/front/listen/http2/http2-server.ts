import {
  constants,
  createServer,
  type Http2ServerRequest,
  type Http2ServerResponse,
  type Http2Session,
  type Http2Server as NodeHttp2Server,
  type ServerHttp2Session,
  type Settings as WireSettings,
} from 'node:http2';
import type { TLSSocket } from 'node:tls';
import type { Clock } from '../../../contracts/clock.js';
import type { Settings } from '../../../settings/settings.js';
import { peerOf } from '../../client-message.js';
import { respondWithRefusal } from '../refuse-request.js';
import type { Refusal, RequestRules } from '../request-rules.js';
import type { SlowReaders } from '../slow-readers.js';
import { Http2Connection } from './http2-connection.js';
import { countHeadBytes, normalizeHead } from './http2-head.js';
import { Http2Response } from './http2-response.js';

/** Fields of one request. Beyond it Node resets the stream, so it lies far above `maxHeaderCount`, which RequestRules looks after. */
const MAX_HEADER_FIELDS = 4096;
/** Of one upload: how far a client may send ahead of the application, so what we have to keep at most. */
const STREAM_WINDOW_BYTES = 256 * 1024;

export interface Http2ServerOptions {
  readonly settings: () => Pick<
    Settings,
    'keepAliveTimeoutMs' | 'maxHeaderBytes' | 'maxStreamsPerConnection' | 'maxResetsPerConnection'
  >;
  readonly rules: RequestRules;
  readonly clock: Clock;
  readonly slowReaders: SlowReaders;
  readonly onRequest: (request: Http2ServerRequest, response: Http2Response) => void;
  readonly onError: (error: Error) => void;
}

/**
 * The connections that speak HTTP/2. They come from TlsAcceptor, and have chosen it by ALPN.
 *
 * Against floods: nghttp2 ends connections that reset streams too fast (CVE-2023-44487), send CONTINUATION without end
 * (CVE-2024-28182) or too many settings and pings; Node limits the memory of a session to 10 MB, and headers to what is set here.
 */
export class Http2Server {
  readonly #options: Http2ServerOptions;
  readonly #server: NodeHttp2Server;
  readonly #connections = new Map<Http2Session, { connection: Http2Connection; peer: string }>();
  #isDraining = false;

  constructor(options: Http2ServerOptions) {
    this.#options = options;
    this.#server = createServer({ maxHeaderListPairs: MAX_HEADER_FIELDS, settings: this.#wireSettings() });
    const onRequest = (request: Http2ServerRequest, { stream }: Http2ServerResponse): void =>
      this.#onRequest(request, new Http2Response(stream, request.method));
    this.#server.on('request', onRequest);
    // Without these three Node answers by itself, before anyone has looked at the request.
    this.#server.on('checkContinue', onRequest);
    this.#server.on('checkExpectation', onRequest);
    this.#server.on('connect', (_request: unknown, { stream }: Http2ServerResponse) =>
      respondWithRefusal(new Http2Response(stream, 'CONNECT'), tunnel),
    );
    this.#server.on('sessionError', options.onError);
  }

  accept(socket: TLSSocket): void {
    const watch = (session: ServerHttp2Session): void => this.#watch(session, socket);
    // That of an HTTP/1 server lets clients end their side first; a client of HTTP/2 that does so has gone.
    socket.allowHalfOpen = false;
    this.#server.updateSettings(this.#wireSettings());
    this.#server.once('session', watch);
    this.#server.emit('connection', socket);
    this.#server.off('session', watch);
  }

  /** See peerOf; of every connection. */
  peers(): string[] {
    return [...this.#connections.values()].map(({ peer }) => peer);
  }

  /** Every connection ends when its requests have their answers, also one whose handshake is under way. */
  drain(): void {
    this.#isDraining = true;
    for (const { connection } of this.#connections.values()) connection.drain();
  }

  /** Cuts what is left. */
  close(): void {
    for (const { connection } of this.#connections.values()) connection.destroy();
  }

  // Private

  /** Node resets a stream whose head goes beyond `maxHeaderListSize`: up to there we can say what is wrong. */
  #wireSettings(): WireSettings {
    return {
      enablePush: false,
      maxConcurrentStreams: this.#options.settings().maxStreamsPerConnection,
      initialWindowSize: STREAM_WINDOW_BYTES,
      maxHeaderListSize: 2 * this.#options.settings().maxHeaderBytes,
    };
  }

  #watch(session: ServerHttp2Session, socket: TLSSocket): void {
    const connection = new Http2Connection({
      ...{ session, socket, clock: this.#options.clock },
      idleTimeoutMs: () => this.#options.settings().keepAliveTimeoutMs,
      maxResets: () => this.#options.settings().maxResetsPerConnection,
    });
    this.#connections.set(session, { connection, peer: peerOf(socket) });
    socket.once('close', () => this.#connections.delete(session));
    if (this.#isDraining) connection.drain();
  }

  #onRequest(request: Http2ServerRequest, response: Http2Response): void {
    const { stream } = request;
    const { session } = stream;
    const { connection } = (session && this.#connections.get(session)) ?? {};
    // The client has reset it already; an attack does nothing else (CVE-2023-44487).
    if (stream.closed || stream.destroyed) {
      connection?.countReset();
      return;
    }
    connection?.add(response);
    this.#options.slowReaders.watch(response);
    // A body that breaks off would end as if it were whole, where the client resets without an error.
    stream.once('aborted', () => request.destroy());
    stream.once('trailers', (_trailers: unknown, _flags: unknown, fields?: readonly string[]) => {
      // The answer may be under way, so that there is no other word for it.
      if (this.#options.rules.isTooMany(fields ?? [])) stream.close(constants.NGHTTP2_ENHANCE_YOUR_CALM);
    });
    const refusal = this.#refusalOf(request);
    if (refusal === undefined) this.#options.onRequest(request, response);
    else {
      respondWithRefusal(response, refusal);
      connection?.leave();
    }
  }

  #refusalOf(request: Http2ServerRequest): Refusal | undefined {
    if (!normalizeHead(request)) return twoHosts;
    if (countHeadBytes(request) > this.#options.settings().maxHeaderBytes) return tooLarge;
    return this.#options.rules.refusalOf(request);
  }
}

// Private

const tunnel: Refusal = { status: 501, sentence: 'This server is no proxy.' };
const twoHosts: Refusal = { status: 400, sentence: 'The request names two hosts.' };
const tooLarge: Refusal = { status: 431, sentence: 'The headers of the request are too large.' };

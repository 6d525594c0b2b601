import {
  createServer,
  type Http2ServerRequest,
  type Http2ServerResponse,
  type Http2Server as NodeHttp2Server,
  type ServerHttp2Session,
} from 'node:http2';
import type { TLSSocket } from 'node:tls';
import type { Settings } from '../../settings/settings.js';
import { countHeadBytes, normalizeHead } from './http2-head.js';
import { Http2Response } from './http2-response.js';

/** Requests at the same time on one connection; browsers use up to 100, and nginx allows 128. */
const MAX_STREAMS = 128;
/** Header fields of one request; what does not fit into `maxHeaderBytes` is refused besides. */
const MAX_HEADER_FIELDS = 256;
/** An upload need not wait for our word every 64 KiB. */
const UPLOAD_WINDOW_BYTES = 1024 * 1024;

export interface Http2ServerOptions {
  readonly settings: () => Pick<Settings, 'keepAliveTimeoutMs' | 'maxHeaderBytes'>;
  readonly onRequest: (request: Http2ServerRequest, response: Http2Response) => void;
  readonly onError: (error: Error) => void;
}

/**
 * The connections that speak HTTP/2. Created by Front; SecureEntrance gives it those that have chosen it (ALPN).
 *
 * Against floods: nghttp2 ends connections that reset streams too fast (CVE-2023-44487), send CONTINUATION without end
 * (CVE-2024-28182) or too many settings and pings; Node limits the memory of a session to 10 MB, and headers to what is set here.
 */
export class Http2Server {
  readonly #options: Http2ServerOptions;
  readonly #server: NodeHttp2Server;
  readonly #sessions = new Set<ServerHttp2Session>();

  constructor(options: Http2ServerOptions) {
    this.#options = options;
    this.#server = createServer({
      maxHeaderListPairs: MAX_HEADER_FIELDS,
      settings: {
        enablePush: false,
        maxConcurrentStreams: MAX_STREAMS,
        initialWindowSize: UPLOAD_WINDOW_BYTES,
        maxHeaderListSize: options.settings().maxHeaderBytes,
      },
    });
    const onRequest = (request: Http2ServerRequest, { stream }: Http2ServerResponse): void => {
      normalizeHead(request);
      const response = new Http2Response(stream);
      if (countHeadBytes(request) > options.settings().maxHeaderBytes) refuseHead(response);
      else options.onRequest(request, response);
    };
    this.#server.on('request', onRequest);
    // Without these two Node answers by itself, before anyone has looked at the request.
    this.#server.on('checkContinue', onRequest);
    this.#server.on('checkExpectation', onRequest);
    this.#server.on('session', (session) => this.#watch(session));
    this.#server.on('sessionError', options.onError);
  }

  accept(socket: TLSSocket): void {
    this.#server.emit('connection', socket);
  }

  /** See peerOf; of every connection. */
  peers(): string[] {
    return [...this.#sessions].map(({ socket }) => `${socket.remoteAddress} ${socket.remotePort}`);
  }

  /** Every connection ends when its requests have their answers; the client is told (GOAWAY). */
  drain(): void {
    for (const session of this.#sessions) session.close();
  }

  /** Cuts what is left. */
  close(): void {
    for (const session of this.#sessions) session.destroy();
  }

  // Private

  #watch(session: ServerHttp2Session): void {
    this.#sessions.add(session);
    session.once('close', () => this.#sessions.delete(session));
    // Nothing moves on the whole connection; requests that are still being worked on keep it open.
    session.setTimeout(this.#options.settings().keepAliveTimeoutMs, () => session.close());
  }
}

// Private

/** RFC 6585 section 5. */
function refuseHead(response: Http2Response): void {
  response.writeHead(431, ['content-length', '0']);
  response.end();
}

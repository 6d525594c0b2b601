import type { Scheme } from '../contracts/scheme.js';
import { type AnswerDefaults, completeHeaders, noDefaults, withoutFraming } from './answer-defaults.js';
import type { ClientRequest, ClientResponse } from './client-message.js';
import { drainRequest } from './drain-request.js';
import type { PieceBuffers } from './files/piece-buffers.js';

/** Who sent the request and by which way (front/client-facts). */
export interface ClientFacts {
  readonly address: string;
  readonly port: number;
  readonly scheme: Scheme;
  /** The host that was asked for, and perhaps its port (see isAuthority); '' for HTTP/1.0 without one. */
  readonly host: string;
  /** The peer's word about the client counts (`trustedProxies`). */
  readonly isPeerTrusted: boolean;
  /** It is a proxy of `trustedProxies` that names nobody else. Everybody may stand behind it, so that no limit counts it. */
  readonly isProxy: boolean;
  /** The names, in lower case, of headers about the client that the peer is trusted to send: they are passed on. */
  readonly believedHeaders: ReadonlySet<string>;
}

/** Header names and values in turn, as Node's writeHead takes them. */
export type HeaderList = readonly string[];

export interface RespondOptions {
  /**
   * The request's body was not read, and is not wanted: it is read for a while and dropped, so that a client that still sends it
   * gets the answer (front/drain-request).
   */
  readonly drainsRequest?: boolean;
}

/**
 * One request with its response, as it goes down the pipeline (front/pipeline).
 *
 * The handler that takes it answers through respond(), or writes to `response` by itself and adds what it wrote to `bodyBytes`,
 * which the access log reads when the response closes.
 */
export class Exchange {
  readonly request: ClientRequest;
  readonly response: ClientResponse;
  readonly id: string;
  readonly client: ClientFacts;
  /** Monotonic milliseconds. */
  readonly startedAtMs: number;
  readonly method: string;
  /** Path as sent, still percent-encoded, without the query; always begins with a slash. */
  readonly path: string;
  /** Without the question mark; '' where there is none. */
  readonly query: string;
  bodyBytes = 0;
  /** The application has ended in the middle of its answer, or broken it off. */
  isBrokenOff = false;
  /** A WebSocket is asked for: the connection becomes a tunnel, or ends with an answer. */
  readonly isUpgrade: boolean;
  /** The application has taken the WebSocket: nothing more is written to `response`. */
  isTunnel = false;
  /** Of the front, to send files from. */
  readonly pieceBuffers: PieceBuffers;
  #defaults: AnswerDefaults;
  readonly #ownHeaders: string[];
  #applicationId: string | undefined;
  #isStream = false;
  readonly #onStream: (() => void) | undefined;

  constructor(
    request: ClientRequest,
    response: ClientResponse,
    more: {
      id: string;
      client: ClientFacts;
      startedAtMs: number;
      target: string;
      isUpgrade?: boolean;
      /** See becomeStream. */
      onStream?: () => void;
      pieceBuffers: PieceBuffers;
      defaults?: AnswerDefaults;
    },
  ) {
    this.request = request;
    this.response = response;
    this.id = more.id;
    this.#ownHeaders = ['X-Request-ID', more.id];
    this.client = more.client;
    this.startedAtMs = more.startedAtMs;
    this.isUpgrade = more.isUpgrade ?? false;
    this.#onStream = more.onStream;
    this.pieceBuffers = more.pieceBuffers;
    this.#defaults = more.defaults ?? noDefaults;
    this.method = request.method ?? 'GET';
    const mark = more.target.indexOf('?');
    this.path = mark < 0 ? more.target : more.target.slice(0, mark);
    this.query = mark < 0 ? '' : more.target.slice(mark + 1);
  }

  /** It is a WebSocket or an event stream, which may go on for hours: a stop doesn't wait for its end. */
  get isStream(): boolean {
    return this.#isStream;
  }

  /** To be called when the answer turns out to be one. */
  becomeStream(): void {
    this.#isStream = true;
    this.#onStream?.();
  }

  /** What every answer gets, also one that is written past respond(): X-Request-ID, and what was added. */
  get ownHeaders(): HeaderList {
    return this.#ownHeaders;
  }

  /** The head of an answer with these headers. */
  complete(headers: HeaderList): string[] {
    return completeHeaders([...this.#ownHeaders, ...headers], this.#defaults);
  }

  get defaults(): AnswerDefaults {
    return this.#defaults;
  }

  /** The application decides who may frame its answer. */
  leaveFraming(): void {
    this.#defaults = withoutFraming(this.#defaults);
  }

  /** The application has an id of its own for this request: the answer carries it, and the access record has both. */
  takeApplicationId(id: string): void {
    this.#applicationId = id;
    this.#ownHeaders[1] = id;
  }

  get applicationId(): string | undefined {
    return this.#applicationId;
  }

  addHeader(name: string, value: string): void {
    this.#ownHeaders.push(name, value);
  }

  /** Whether a response to this request carries a body (RFC 9110 section 9.3.2). */
  get wantsBody(): boolean {
    return this.method !== 'HEAD';
  }

  /**
   * Answers with a whole body. Content-Length and X-Request-ID are added here; a HEAD gets the length and no body.
   * For 304 and 204 pass no body: then no length is sent either.
   */
  respond(
    status: number,
    headers: HeaderList,
    body?: Buffer | string,
    { drainsRequest = false }: RespondOptions = {},
  ): void {
    const list = this.complete(headers);
    const bytes = body === undefined ? 0 : Buffer.byteLength(body);
    if (body !== undefined || (status !== 204 && status !== 304)) list.push('Content-Length', String(bytes));
    this.response.writeHead(status, list);
    if (this.wantsBody) this.bodyBytes += bytes;
    this.#end(this.wantsBody ? body : undefined, drainsRequest);
  }

  // Private

  /** The end is what makes Node close the connection, so it waits; the client has the whole answer before it. */
  #end(body: Buffer | string | undefined, drainsRequest: boolean): void {
    if (!drainsRequest) {
      this.response.end(body);
      return;
    }
    if (body === undefined) this.response.flushHeaders();
    else this.response.write(body);
    void drainRequest(this.request).then(() => this.response.end());
  }
}

/** One stage of the pipeline: true when it has taken the exchange (answered it, or will). */
export type Handler = (exchange: Exchange) => boolean;

import type { OutgoingHttpHeaders } from 'node:http';
import type { PendingRequest, RequestFailure, SessionTie } from '../../contracts/upstream.js';
import type { Affinity } from '../../project/affinity.js';
import type { Spool } from '../buffers/spool.js';
import { respondWithErrorPage } from '../error-page.js';
import type { Exchange } from '../exchange.js';
import { addressKey } from '../limits/address-key.js';
import type { AnswerWriter } from './answer-writer.js';
import type { EnvironEncoder } from './environ.js';
import { encodeFrame, IS_MULTIPROCESS, RequestKind } from './frames.js';
import type { RequestCarrier } from './gateway-request.js';
import type { RequestBody } from './request-body.js';
import { makeForwardedHeaders } from './request-headers.js';
import { tieRequest } from './session-rule.js';
import type { UploadFailure } from './upload-stream.js';

/** How each failure is told to the client: status, sentence, seconds until another try. */
const pages: Readonly<Record<RequestFailure, readonly [number, string, number?]>> = {
  'queue-full': [503, 'The site is very busy. Please try again in a moment.', 2],
  'queue-timeout': [503, 'The site is very busy. Please try again in a moment.', 5],
  unavailable: [503, 'The site is starting or being mended. Please try again in a moment.', 10],
  stopping: [503, 'The site is being restarted. Please try again in a moment.', 5],
  'upload-stalled': [408, 'Your request came in too slowly.'],
  'upload-too-large': [413, 'What you sent is larger than this site accepts.'],
  'upstream-died': [502, 'The site could not finish this request.'],
  suspect: [502, 'The site could not finish this request.', 60],
  stuck: [504, 'The site took too long to answer this request.'],
};

/** Processes may be ended by others again and again while one request is being worked on. */
const MAX_REPEATS = 3;

export interface AppRequestParts {
  readonly exchange: Exchange;
  readonly body: RequestBody;
  readonly writer: AnswerWriter;
  readonly spool: Spool;
  readonly environs: EnvironEncoder;
  readonly affinity?: Affinity | undefined;
}

/**
 * A request on its way to an application: queued and placed by app/pool/app-pool, sent by GatewayConnection or
 * HttpForwarding.
 *
 * Its environ or headers are made when they are needed: a request that waits in the queue during a reload may go to another
 * kind of server than it came for.
 */
export class AppRequest implements PendingRequest {
  readonly exchange: Exchange;
  readonly body: RequestBody;
  readonly writer: AnswerWriter;
  readonly tie: SessionTie | undefined;
  readonly #spool: Spool;
  readonly #environs: EnvironEncoder;
  #environ: string | undefined;
  #headers: OutgoingHttpHeaders | undefined;
  #repeats = 0;
  #isAbandoned = false;
  #carrier: RequestCarrier | undefined;

  constructor({ exchange, body, writer, spool, environs, affinity }: AppRequestParts) {
    this.exchange = exchange;
    this.body = body;
    this.writer = writer;
    this.#spool = spool;
    this.#environs = environs;
    this.tie = affinity && tieRequest(exchange, affinity, (watcher) => writer.watchBy(watcher));
    exchange.response.once('close', () => this.#onClientClosed());
  }

  get method(): string {
    return this.exchange.method;
  }

  get path(): string {
    return this.exchange.path;
  }

  get id(): string {
    return this.exchange.id;
  }

  get client(): string {
    return addressKey(this.exchange.client.address);
  }

  get arrivedAtMs(): number {
    return this.exchange.startedAtMs;
  }

  get isAbandoned(): boolean {
    return this.#isAbandoned;
  }

  get isWaiting(): boolean {
    return !this.#isAbandoned && !this.writer.hasStarted && !this.exchange.isTunnel;
  }

  /** For a gateway; undefined where the request is malformed (EnvironEncoder). */
  get environ(): string | undefined {
    this.#environ ??= this.#environs.encode(this.exchange, this.body);
    return this.#environ;
  }

  /** For an HTTP application server; undefined where the request is malformed (makeForwardedHeaders). */
  get headers(): OutgoingHttpHeaders | undefined {
    this.#headers ??= makeForwardedHeaders(this.exchange, this.body);
    return this.#headers;
  }

  takeRetry(): boolean {
    const isRepeatable = this.body.kind === 'none' || this.body.kind === 'memory';
    if (this.#repeats >= MAX_REPEATS || !this.isWaiting || !this.isSafe || !isRepeatable) return false;
    this.#repeats += 1;
    return true;
  }

  /** May be sent twice without harm (RFC 9110 section 9.2.1). */
  get isSafe(): boolean {
    return this.method === 'GET' || this.method === 'HEAD';
  }

  fail(reason: RequestFailure): void {
    if (this.#isAbandoned || this.exchange.response.writableEnded) return;
    // An answer that comes after all is dropped.
    this.#isAbandoned = true;
    if (this.exchange.isTunnel) {
      this.exchange.request.socket.destroySoon();
      return;
    }
    if (this.writer.hasStarted) {
      this.writer.abort();
      return;
    }
    const [status, sentence, retryAfterSeconds] = pages[reason];
    const headers = retryAfterSeconds === undefined ? [] : ['Retry-After', String(retryAfterSeconds)];
    // The rest of its body may still come: it is not waited for.
    if (reason === 'upload-stalled' || reason === 'upload-too-large') headers.push('Connection', 'close');
    const drainsRequest = reason === 'upload-too-large';
    respondWithErrorPage(this.exchange, status, sentence, { headers, drainsRequest });
  }

  breakOff(failure: UploadFailure): void {
    this.fail(failure);
    this.#carrier?.onAbandoned();
  }

  attach(carrier: RequestCarrier): void {
    this.#carrier = carrier;
  }

  detach(): void {
    this.#carrier = undefined;
  }

  /** The frame that carries this request to a thread; a streamed body follows it. */
  encode({ isMultiprocess }: { isMultiprocess: boolean }): Buffer {
    const flags = isMultiprocess ? IS_MULTIPROCESS : 0;
    const { body } = this;
    const head = this.environ ?? '';
    switch (body.kind) {
      case 'none':
        return encodeFrame(RequestKind.request, flags, head);
      case 'memory':
        return encodeFrame(RequestKind.request, flags, head, body.bytes);
      case 'spooled':
        return encodeFrame(RequestKind.requestSpooled, flags, head, Buffer.from(body.path));
      case 'streamed':
        return encodeFrame(RequestKind.requestStreamed, flags, head);
    }
  }

  // Private

  #onClientClosed(): void {
    void this.#spool.release(this.body);
    this.writer.release();
    if (this.exchange.response.writableFinished) return;
    this.#isAbandoned = true;
    this.#carrier?.onAbandoned();
  }
}

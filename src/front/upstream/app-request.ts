import type { PendingRequest, RequestFailure } from '../../upstream.js';
import { respondWithErrorPage } from '../error-page.js';
import type { Exchange } from '../exchange.js';
import type { AnswerWriter } from './answer-writer.js';
import { encodeFrame, IS_MULTIPROCESS, RequestKind } from './frames.js';
import type { BodySpool, RequestBody } from './request-body.js';

/** How each failure is told to the client: status, sentence, seconds until another try. */
const pages: Readonly<Record<RequestFailure, readonly [number, string, number?]>> = {
  'queue-full': [503, 'The site is very busy. Please try again in a moment.', 2],
  'queue-timeout': [503, 'The site is very busy. Please try again in a moment.', 5],
  unavailable: [503, 'The site is starting or being mended. Please try again in a moment.', 10],
  stopping: [503, 'The site is being restarted. Please try again in a moment.', 5],
  'upload-stalled': [408, 'Your request came in too slowly.'],
  'upstream-died': [502, 'The site could not finish this request.'],
  stuck: [504, 'The site took too long to answer this request.'],
};

/**
 * A request on its way to an application: made by front/application, queued and placed by app/app-pool,
 * sent by GatewayConnection.
 */
export class AppRequest implements PendingRequest {
  readonly exchange: Exchange;
  readonly body: RequestBody;
  readonly writer: AnswerWriter;
  readonly #head: string;
  readonly #spool: BodySpool;
  #wasRetried = false;
  #isAbandoned = false;
  /** Called when the client has gone; the connection that serves the request sets it. */
  onAbandoned: (() => void) | undefined;

  constructor(exchange: Exchange, head: string, body: RequestBody, writer: AnswerWriter, spool: BodySpool) {
    this.exchange = exchange;
    this.body = body;
    this.writer = writer;
    this.#head = head;
    this.#spool = spool;
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

  get isAbandoned(): boolean {
    return this.#isAbandoned;
  }

  get isWaiting(): boolean {
    return !this.#isAbandoned && !this.writer.hasStarted;
  }

  takeRetry(): boolean {
    const isSafe = this.method === 'GET' || this.method === 'HEAD';
    const isRepeatable = this.body.kind === 'none' || this.body.kind === 'memory';
    if (this.#wasRetried || this.#isAbandoned || this.writer.hasStarted || !isSafe || !isRepeatable)
      return false;
    this.#wasRetried = true;
    return true;
  }

  fail(reason: RequestFailure): void {
    if (this.#isAbandoned || this.exchange.response.writableEnded) return;
    // An answer that comes after all is dropped.
    this.#isAbandoned = true;
    if (this.writer.hasStarted) {
      this.writer.abort();
      return;
    }
    const [status, sentence, retryAfterSeconds] = pages[reason];
    const headers = retryAfterSeconds === undefined ? [] : ['Retry-After', String(retryAfterSeconds)];
    // The rest of its body may still come: it is not waited for.
    if (reason === 'upload-stalled') headers.push('Connection', 'close');
    respondWithErrorPage(this.exchange, status, sentence, headers);
  }

  stallUpload(): void {
    this.fail('upload-stalled');
    this.onAbandoned?.();
  }

  /** The frame that carries this request to a thread; a streamed body follows it. */
  encode(isMultiprocess: boolean): Buffer {
    const flags = isMultiprocess ? IS_MULTIPROCESS : 0;
    const { body } = this;
    switch (body.kind) {
      case 'none':
        return encodeFrame(RequestKind.request, flags, this.#head);
      case 'memory':
        return encodeFrame(RequestKind.request, flags, this.#head, body.bytes);
      case 'spooled':
        return encodeFrame(RequestKind.requestSpooled, flags, this.#head, Buffer.from(body.path));
      case 'streamed':
        return encodeFrame(RequestKind.requestStreamed, flags, this.#head);
    }
  }

  // Private

  #onClientClosed(): void {
    if (this.body.kind === 'spooled') void this.#spool.release(this.body);
    if (this.exchange.response.writableFinished) return;
    this.#isAbandoned = true;
    this.onAbandoned?.();
  }
}

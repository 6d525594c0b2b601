import { validateHeaderName, validateHeaderValue } from 'node:http';
import { constants, type OutgoingHttpHeaders, type ServerHttp2Stream } from 'node:http2';
import { Writable } from 'node:stream';
import { Http2Fields } from './http2-fields.js';

/** What is handed over at a time. Less than the windows of clients, so that a long body that moves slowly is seen to move. */
const SLICE_BYTES = 32 * 1024;
const HIGH_WATER_BYTES = 64 * 1024;
/** RFC 9110 sections 15.3.5, 15.3.6 and 15.4.5. */
const bodiless = new Set([204, 205, 304]);

type Callback = (error?: Error | null) => void;

/**
 * The answer to one HTTP/2 request, with the methods of http.ServerResponse that the front uses.
 *
 * Node's own Http2ServerResponse is no Writable (it has neither `destroyed` nor pipeline's good behaviour) and keeps only the last
 * of several headers of one name when it is given a list, Set-Cookie for example.
 */
export class Http2Response extends Writable {
  statusCode = 200;
  /** HTTP/2 has none (RFC 9113 section 8.3.2). */
  statusMessage = '';
  /** HTTP/2 has other means to end a connection; see Http2Connection. */
  shouldKeepAlive = true;
  /** Of the body, what the connection has taken; for HTTP/2 that is what the client has made room for. */
  takenBytes = 0;
  wasStalled = false;
  readonly #stream: ServerHttp2Stream;
  readonly #isHead: boolean;
  #fields = new Http2Fields();
  /** A settled head leaves with the first of the body, or the end, as with HTTP/1. */
  #head: 'open' | 'settled' | 'sent' = 'open';

  constructor(stream: ServerHttp2Stream, method: string) {
    super({ highWaterMark: HIGH_WATER_BYTES });
    this.#stream = stream;
    this.#isHead = method === 'HEAD';
    stream.on('error', (error) => this.destroy(error));
    // The client has gone, or has given this answer up (RST_STREAM).
    stream.once('close', () => {
      if (!this.writableFinished && !this.#isComplete) this.destroy();
    });
    this.on('error', () => {}); // those who write look at `destroyed` and hear 'close', as with HTTP/1
  }

  get headersSent(): boolean {
    return this.#head !== 'open';
  }

  /** The client has to take something before it goes on. */
  get isHeldUp(): boolean {
    return this.writableLength > 0;
  }

  /** The client takes too little of it. */
  cutStalled(): void {
    this.wasStalled = true;
    this.destroy();
  }

  /** Throws on what HTTP cannot carry, and then nothing has changed. */
  writeHead(status: number, reasonOrHeaders: string | readonly string[], headers?: readonly string[]): this {
    if (this.headersSent) throw new Error('the head of this answer is settled');
    // Node sends no others over HTTP/2.
    if (!(status >= 200 && status <= 599)) throw new RangeError(`Invalid status code: ${status}`);
    const list = (typeof reasonOrHeaders === 'string' ? headers : reasonOrHeaders) ?? [];
    const fields = new Http2Fields();
    for (let at = 0; at + 1 < list.length; at += 2) fields.add(list[at] as string, list[at + 1] as string);
    this.#fields = fields;
    this.statusCode = status;
    this.#head = 'settled';
    return this;
  }

  flushHeaders(): void {
    this.#begin(false);
  }

  /** 100 Continue (RFC 9113 section 8.1). */
  writeContinue(): void {
    this.#inform({ ':status': 100 });
  }

  /** Throws, as HTTP/1 does, on what is no header. */
  writeEarlyHints(hints: OutgoingHttpHeaders): void {
    for (const [name, value] of Object.entries(hints)) {
      validateHeaderName(name);
      for (const one of [value].flat()) validateHeaderValue(name, String(one));
    }
    this.#inform({ ...hints, ':status': 103 });
  }

  /** Ends the answer so that the client sees that it isn't whole; what was written before still goes out. */
  cut(): void {
    this.write(Buffer.alloc(0), () => this.#reset());
  }

  override _write(piece: Buffer, _encoding: string, callback: Callback): void {
    this.#begin(false);
    this.#send(piece, callback);
  }

  override _writev(pieces: readonly { chunk: Buffer }[], callback: Callback): void {
    this.#begin(false);
    this.#send(Buffer.concat(pieces.map(({ chunk }) => chunk)), callback);
  }

  override _final(callback: Callback): void {
    const finish: Callback = (error) => {
      // Node sends the head at the end of this turn; a reset before would take it along (seen in Node 22).
      if (!error) setImmediate(() => this.#leaveRest());
      callback(error);
    };
    const isEnding = this.#head === 'sent' && !this.#isBodiless;
    this.#begin(true);
    if (isEnding) this.#stream.end(finish);
    else finish();
  }

  override _destroy(error: Error | null, callback: Callback): void {
    if (!this.writableFinished) this.#reset();
    callback(error);
  }

  // Private

  get #isBodiless(): boolean {
    return this.#isHead || bodiless.has(this.statusCode);
  }

  /** The client has all of it, perhaps before end() is called. */
  get #isComplete(): boolean {
    return this.#head === 'sent' && this.#isBodiless;
  }

  get #isGone(): boolean {
    return this.#stream.destroyed || this.#stream.closed;
  }

  #begin(isEnd: boolean): void {
    if (this.#head === 'sent' || this.#isGone) return;
    this.#head = 'sent';
    this.#stream.respond(this.#fields.toHead(this.statusCode), { endStream: isEnd || this.#isBodiless });
  }

  #send(piece: Buffer, callback: Callback): void {
    if (piece.length === 0 || this.#isBodiless) {
      callback();
      return;
    }
    const slice = piece.subarray(0, SLICE_BYTES);
    this.#stream.write(slice, (error) => {
      if (error) callback(error);
      else {
        this.takenBytes += slice.length;
        this.#send(piece.subarray(SLICE_BYTES), callback);
      }
    });
  }

  #inform(head: OutgoingHttpHeaders): void {
    if (this.#head !== 'sent' && !this.#isGone) this.#stream.additionalHeaders(head);
  }

  /** RST_STREAM with INTERNAL_ERROR. The stream's close() would end the body first, as if it were whole. */
  #reset(): void {
    if (!this.#isGone) this.#stream.destroy(new Error('the answer was cut'));
  }

  /** Of a request that was answered before all of it came: the client need not send the rest (RFC 9113 section 8.1). */
  #leaveRest(): void {
    const stream = this.#stream;
    if (!this.#isGone && !stream.endAfterHeaders && !stream.readableEnded) {
      stream.close(constants.NGHTTP2_NO_ERROR);
    }
  }
}

import type { Transform } from 'node:stream';
import { TLSSocket } from 'node:tls';
import type { Log } from '../../log/log.js';
import type { Settings } from '../../settings/settings.js';
import { AnswerBuffer } from '../buffers/answer-buffer.js';
import type { Spool } from '../buffers/spool.js';
import { chooseCompression } from '../encoding/compression.js';
import {
  compressDirectly,
  createCompressor,
  type DynamicEncoding,
  maxDirectBytes,
} from '../encoding/compressor.js';
import { respondWithErrorPage } from '../error-page.js';
import type { Exchange, HeaderList } from '../exchange.js';
import { type FilePart, respondFromFile } from '../files/send-file.js';
import { Http2Response } from '../listen/http2/http2-response.js';
import { type AnswerHead, isBodiless, parseAnswerHead } from './answer-head.js';
import type { AnswerSink, FileTarget } from './gateway-request.js';
import { openHandedOver, openSendfile } from './named-files.js';
import type { AnswerWatcher } from './session-rule.js';

/** What is the same for all answers of an application. */
export interface AnswerContext {
  readonly settings: Settings;
  readonly spool: Spool;
  readonly log: Log;
  /** It says who may frame its pages: what has no X-Frame-Options gets none. */
  readonly needs: { readonly decidesFraming: boolean };
}

/** How an answer is sent; `encoding` is undefined where its body stays as it is. */
interface Compression {
  readonly encoding: DynamicEncoding | undefined;
  readonly headers: HeaderList;
}

/**
 * Writes an application's answer to the client. One per request; GatewayConnection and HttpForwarding drive it.
 *
 * It takes all of it ahead of a slow client (AnswerBuffer), so that the application's thread is free as soon as it has made it.
 */
export class AnswerWriter implements AnswerSink {
  readonly #exchange: Exchange;
  readonly #settings: Settings;
  readonly #log: Log;
  readonly #spool: Spool;
  readonly #decidesFraming: boolean;
  /** What is sent in pieces, behind the compressor. */
  #buffer: AnswerBuffer | undefined;
  #compressor: Transform | undefined;
  /** Of the budget, for an answer that was sent whole. */
  #chargedBytes = 0;
  /** The application's body is not sent: a HEAD, a status without a body, or a file in its place. */
  #dropsBody = false;
  hasStarted = false;
  #watcher: AnswerWatcher | undefined;

  constructor(exchange: Exchange, { settings, spool, log, needs }: AnswerContext) {
    this.#exchange = exchange;
    this.#settings = settings;
    this.#spool = spool;
    this.#log = log;
    this.#decidesFraming = needs.decidesFraming;
  }

  /** Of an answer that may begin a session: it sees it before the client does. */
  watchBy(watcher: AnswerWatcher): void {
    this.#watcher = watcher;
  }

  whole(head: string, body: Buffer): void {
    this.#guard(() => {
      const answer = this.#begin(head);
      this.#watcher?.onBody(body);
      if (this.#redirectsToFile(answer)) return;
      const length = answer.contentLength ?? body.length;
      if (!this.#dropsBody && length !== body.length) {
        throw new Error(`Content-Length is ${length}, but the body has ${body.length} bytes`);
      }
      const { encoding, headers } = this.#compress(answer, length);
      if (encoding === undefined) this.#sendWhole(answer, headers, length, body);
      // A HEAD whose GET would be compressed gets no length, because it isn't known.
      else if (this.#dropsBody) this.#sendWhole(answer, headers, undefined, body);
      else if (body.length <= maxDirectBytes) {
        const compressed = compressDirectly(encoding, body);
        this.#sendWhole(answer, headers, compressed.length, compressed);
      } else {
        this.#open(answer, { encoding, headers }, undefined);
        this.write(body);
        this.end();
      }
    });
  }

  start(head: string, bodyBytes: number | undefined): void {
    this.#guard(() => {
      const answer = this.#begin(head);
      if (this.#redirectsToFile(answer)) return;
      const length = answer.contentLength ?? bodyBytes;
      this.#open(answer, this.#compress(answer, length), length);
    });
  }

  write(piece: Buffer): boolean {
    this.#watcher?.onBody(piece);
    this.#watcher = undefined;
    if (this.#buffer === undefined || this.#dropsBody) return true;
    const compressor = this.#compressor;
    if (compressor === undefined) return this.#buffer.write(piece);
    return compressor.write(piece) || compressor.writableLength < this.#settings.responseBufferBytes;
  }

  onceDrained(callback: () => void): void {
    if (this.#compressor === undefined) this.#buffer?.onceDrained(callback);
    else this.#compressor.once('drain', callback);
  }

  end(): void {
    if (this.#compressor === undefined) this.#buffer?.end(() => this.#exchange.response.end());
    else this.#compressor.end();
  }

  /** What was written before still goes out, and the client sees that it isn't all. */
  abort(): void {
    // A HEAD is answered already: its connection may be on to the next request.
    if (this.#exchange.response.writableEnded) return;
    this.#exchange.isBrokenOff = true;
    if (this.#buffer === undefined) cutAnswer(this.#exchange);
    else this.#buffer.end(() => cutAnswer(this.#exchange));
  }

  /** The answer is over, or its client has gone. */
  release(): void {
    if (this.#chargedBytes > 0) this.#spool.budget.releaseMemory(this.#chargedBytes);
    this.#chargedBytes = 0;
  }

  refuse(): void {
    respondWithErrorPage(this.#exchange, 500, 'The site could not answer this request.');
  }

  async file(head: string, target: FileTarget): Promise<boolean> {
    const part = await openHandedOver(target);
    if (part === undefined) return false;
    try {
      this.#sendFile(this.#begin(head), part);
    } catch (error) {
      await part.handle.close();
      this.#refuseMalformed(error);
    }
    return true;
  }

  // Private

  #begin(head: string): AnswerHead {
    this.hasStarted = true;
    this.#watcher?.onHead(head);
    const { sendfileRoots, accelRoots } = this.#settings;
    const hasRoots = sendfileRoots.length > 0 || Object.keys(accelRoots).length > 0;
    // Without roots it may be meant for a proxy before us; to anyone else it would only tell a path.
    const takesSendfile = hasRoots || !this.#exchange.client.isPeerTrusted;
    const answer = parseAnswerHead(head, { takesSendfile });
    if (answer.requestId !== undefined) this.#exchange.takeApplicationId(answer.requestId);
    if (this.#decidesFraming) this.#exchange.leaveFraming();
    this.#dropsBody = !this.#exchange.wantsBody || isBodiless(answer.status);
    return answer;
  }

  #compress(answer: AnswerHead, bodyBytes: number | undefined): Compression {
    const { status, headers } = answer;
    const chosen = chooseCompression(this.#exchange, status, headers, bodyBytes, this.#settings);
    const encoding = chosen?.encoding;
    return { encoding: encoding === 'identity' ? undefined : encoding, headers: chosen?.headers ?? headers };
  }

  #writeHead({ status, reason }: AnswerHead, headers: HeaderList, length: number | undefined): void {
    const list = this.#exchange.complete(headers);
    if (length !== undefined && !isBodiless(status)) list.push('Content-Length', String(length));
    this.#exchange.response.writeHead(status, reason, list);
  }

  /** Head and body in one write. */
  #sendWhole(answer: AnswerHead, headers: HeaderList, length: number | undefined, body: Buffer): void {
    const { response } = this.#exchange;
    this.#writeHead(answer, headers, length);
    if (this.#dropsBody || body.length === 0) response.end();
    else {
      this.#exchange.bodyBytes += body.length;
      this.#chargedBytes = body.length;
      this.#spool.budget.chargeMemory(body.length);
      response.end(body);
    }
  }

  /** The head alone; pieces follow. */
  #open(answer: AnswerHead, { encoding, headers }: Compression, length: number | undefined): void {
    const { response } = this.#exchange;
    this.#writeHead(answer, headers, encoding === undefined ? length : undefined);
    if (this.#dropsBody) {
      response.end();
      return;
    }
    response.write('', 'latin1'); // flushHeaders() would turn the headers into UTF-8
    const { responseBufferBytes: memoryBytes, spoolResponseMaxBytes: fileBytes } = this.#settings;
    this.#buffer = new AnswerBuffer(this.#exchange, this.#spool, { memoryBytes, fileBytes });
    if (encoding !== undefined) this.#compressor = this.#pipe(createCompressor(encoding), this.#buffer);
  }

  #pipe(compressor: Transform, buffer: AnswerBuffer): Transform {
    const { response } = this.#exchange;
    compressor.on('data', (piece: Buffer) => {
      if (buffer.write(piece)) return;
      compressor.pause();
      buffer.onceDrained(() => compressor.resume());
    });
    compressor.once('end', () => buffer.end(() => response.end()));
    compressor.once('error', () => response.destroy());
    response.once('close', () => compressor.destroy());
    return compressor;
  }

  #sendFile(answer: AnswerHead, part: FilePart): void {
    respondFromFile(this.#exchange, answer.status, answer.headers, part).catch((error: unknown) =>
      this.#refuseMalformed(error),
    );
  }

  /** X-Sendfile and X-Accel-Redirect: the file's content takes the place of the body. */
  #redirectsToFile(answer: AnswerHead): boolean {
    if (answer.sendfile === undefined && answer.accelRedirect === undefined) return false;
    if (isBodiless(answer.status)) return false;
    this.#dropsBody = true;
    this.#sendNamedFile(answer).catch((error: unknown) => this.#refuseMalformed(error));
    return true;
  }

  async #sendNamedFile(answer: AnswerHead): Promise<void> {
    const part = await openSendfile(answer, this.#settings);
    if (part !== undefined) {
      this.#sendFile(answer, part);
      return;
    }
    this.#log.warn('sendfile-refused', 'the application named a file that may not be sent or is not there', {
      requestId: this.#exchange.id,
      file: answer.sendfile ?? answer.accelRedirect,
    });
    respondWithErrorPage(this.#exchange, 404, 'There is no such page.');
  }

  #guard(act: () => void): void {
    try {
      act();
    } catch (error) {
      this.#refuseMalformed(error);
    }
  }

  /** What Node refuses to send (a control character in a header, an odd status) is the application's error: 502. */
  #refuseMalformed(error: unknown): void {
    const { response } = this.#exchange;
    this.#log.error('answer-malformed', 'the application sent an answer that HTTP cannot carry', {
      requestId: this.#exchange.id,
      error: (error as Error).message,
    });
    this.#dropsBody = true;
    // writeHead() has kept the refused reason, and would refuse it again.
    response.statusMessage = '';
    if (response.headersSent) response.destroy();
    else respondWithErrorPage(this.#exchange, 502, 'The site gave an answer that cannot be sent.');
  }
}

// Private

/**
 * Ends an answer so that the client sees that it isn't whole; what was written before still goes out.
 *
 * For HTTP/1.0 a closed connection is the end of the body (RFC 9112 section 6.3), but a reset one is not, nor in TLS one that
 * ends without close_notify (RFC 8446 section 6.1), as after destroy().
 */
function cutAnswer({ request, response }: Exchange): void {
  const { httpVersion, socket } = request;
  if (response instanceof Http2Response) response.cut();
  else if (httpVersion !== '1.0') socket.destroySoon();
  else if (socket instanceof TLSSocket) socket.destroy();
  else socket.resetAndDestroy();
}

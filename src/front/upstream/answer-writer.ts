import type { Transform, Writable } from 'node:stream';
import { TLSSocket } from 'node:tls';
import type { Log } from '../../log/log.js';
import type { Settings } from '../../settings/settings.js';
import { type ChosenCompression, chooseCompression } from '../encoding/compression.js';
import { compressDirectly, createCompressor, maxDirectBytes } from '../encoding/compressor.js';
import { respondWithErrorPage } from '../error-page.js';
import type { Exchange, HeaderList } from '../exchange.js';
import { type FilePart, respondFromFile } from '../files/send-file.js';
import { Http2Response } from '../listen/http2/http2-response.js';
import { type AnswerHead, isBodiless, parseAnswerHead } from './answer-head.js';
import type { AnswerSink, FileTarget } from './gateway-request.js';
import { openHandedOver, openSendfile } from './named-files.js';

/**
 * Writes an application's answer to the client. One per request; GatewayConnection and HttpForwarding drive it.
 *
 * It takes up to `responseBufferBytes` ahead of a slow client, so that the application's thread is free early.
 */
export class AnswerWriter implements AnswerSink {
  readonly #exchange: Exchange;
  readonly #settings: Settings;
  readonly #log: Log;
  /** The response itself, or a compressor in front of it. */
  #target: Writable | undefined;
  /** The body of this answer is dropped: a HEAD, a 304, or a file is sent instead of it. */
  #dropsBody = false;
  hasStarted = false;

  constructor(exchange: Exchange, settings: Settings, log: Log) {
    this.#exchange = exchange;
    this.#settings = settings;
    this.#log = log;
  }

  whole(head: string, body: Buffer): void {
    this.#guard(() => {
      const answer = this.#begin(head);
      if (this.#redirectsToFile(answer)) return;
      const length = answer.contentLength ?? body.length;
      if (!this.#dropsBody && length !== body.length) {
        throw new Error(`Content-Length is ${length}, but the body has ${body.length} bytes`);
      }
      const chosen = this.#chooseCompression(answer, length);
      if (chosen === undefined || chosen.encoding === 'identity' || this.#dropsBody) {
        this.#sendWhole(answer, chosen, length, body);
      } else if (body.length <= maxDirectBytes) {
        const compressed = compressDirectly(chosen.encoding, body);
        this.#sendWhole(answer, chosen, compressed.length, compressed);
      } else {
        this.#open(answer, chosen, undefined);
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
      this.#open(answer, this.#chooseCompression(answer, length), length);
    });
  }

  write(piece: Buffer): boolean {
    const target = this.#target;
    if (target === undefined || this.#dropsBody) return true;
    if (target === this.#exchange.response) this.#exchange.bodyBytes += piece.length;
    const isTaken = target.write(piece);
    return isTaken || target.writableLength < this.#settings.responseBufferBytes;
  }

  onceDrained(callback: () => void): void {
    this.#target?.once('drain', callback);
  }

  end(): void {
    this.#target?.end();
  }

  /** Cuts the connection; what was written before still goes out, where the client sees that it isn't all. */
  abort(): void {
    // A HEAD is answered already: its connection may be on to the next request.
    if (this.#exchange.response.writableEnded) return;
    cutAnswer(this.#exchange);
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
    const { sendfileRoots, accelRoots } = this.#settings;
    const takesSendfile = sendfileRoots.length > 0 || Object.keys(accelRoots).length > 0;
    const answer = parseAnswerHead(head, { takesSendfile });
    this.#dropsBody = !this.#exchange.wantsBody || isBodiless(answer.status);
    return answer;
  }

  #chooseCompression(answer: AnswerHead, bodyBytes: number | undefined): ChosenCompression | undefined {
    return chooseCompression(this.#exchange, answer.status, answer.headers, bodyBytes, this.#settings);
  }

  #headersOf(answer: AnswerHead, headers: HeaderList, length: number | undefined): string[] {
    const list = [...this.#exchange.ownHeaders, ...headers];
    if (length !== undefined && !isBodiless(answer.status)) list.push('Content-Length', String(length));
    return list;
  }

  /** Head and body in one write. A HEAD whose GET would be compressed gets no length, because it isn't known. */
  #sendWhole(answer: AnswerHead, chosen: ChosenCompression | undefined, length: number, body: Buffer): void {
    const { response } = this.#exchange;
    const isUnmeasured = this.#dropsBody && chosen !== undefined && chosen.encoding !== 'identity';
    const headers = this.#headersOf(
      answer,
      chosen?.headers ?? answer.headers,
      isUnmeasured ? undefined : length,
    );
    response.writeHead(answer.status, answer.reason, headers);
    if (this.#dropsBody || body.length === 0) response.end();
    else {
      this.#exchange.bodyBytes += body.length;
      response.end(body);
    }
  }

  /** The head alone; pieces follow. */
  #open(answer: AnswerHead, chosen: ChosenCompression | undefined, length: number | undefined): void {
    const { response } = this.#exchange;
    const isCompressed = chosen !== undefined && chosen.encoding !== 'identity';
    const headers = this.#headersOf(
      answer,
      chosen?.headers ?? answer.headers,
      isCompressed ? undefined : length,
    );
    response.writeHead(answer.status, answer.reason, headers);
    if (this.#dropsBody) {
      response.end();
      return;
    }
    response.write('', 'latin1'); // flushHeaders() would turn the headers into UTF-8
    this.#target = isCompressed ? this.#pipe(createCompressor(chosen.encoding)) : response;
  }

  #pipe(compressor: Transform): Transform {
    const { response } = this.#exchange;
    compressor.on('data', (piece: Buffer) => {
      this.#exchange.bodyBytes += piece.length;
      if (!response.write(piece)) {
        compressor.pause();
        response.once('drain', () => compressor.resume());
      }
    });
    compressor.once('end', () => response.end());
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
 * For HTTP/1.0 a closed connection is the end of the body (RFC 9112 section 6.3), and a reset one is not; in TLS the
 * latter is an end without close_notify (RFC 8446 section 6.1), which is what destroy() makes.
 */
function cutAnswer({ request, response }: Exchange): void {
  const { httpVersion, socket } = request;
  if (response instanceof Http2Response) response.cut();
  else if (httpVersion !== '1.0') socket.destroySoon();
  else if (socket instanceof TLSSocket) socket.destroy();
  else socket.resetAndDestroy();
}

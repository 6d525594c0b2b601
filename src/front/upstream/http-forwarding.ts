import { createReadStream } from 'node:fs';
import type { Agent, ClientRequest, IncomingMessage } from 'node:http';
import { pipeline } from 'node:stream';
import type { SocketPlace } from '../../contracts/upstream.js';
import type { Exchange } from '../exchange.js';
import { readConnectionOptions } from '../hop-by-hop.js';
import { isBodiless } from './answer-head.js';
import type { AppRequest } from './app-request.js';
import type { RequestCarrier } from './gateway-request.js';
import type { HttpProxy, ProxiedHead } from './http-proxy.js';
import type { RequestBody } from './request-body.js';
import { UploadStream } from './upload-stream.js';

/** What a forwarding tells the client that it belongs to (HttpClient). It ends with one of the last three. */
export interface ForwardingOwner {
  /** It is a WebSocket or an event stream. */
  onStream(forwarding: HttpForwarding): void;
  /** Over: answered, or the client has gone. */
  onFinished(forwarding: HttpForwarding): void;
  /** Over without a whole answer, which the client has been shown. */
  onCut(forwarding: HttpForwarding): void;
  /** The connection ended, and the client still waits. `wasReused`: the server may just have closed an idle one. */
  onBroken(forwarding: HttpForwarding, error: Error, connection: { wasReused: boolean }): void;
}

export interface ForwardingOptions {
  readonly request: AppRequest;
  readonly proxy: HttpProxy;
  readonly place: SocketPlace;
  readonly agent: Agent;
  readonly startedAtMs: number;
  /** It was sent before, on a kept connection that ended: whether the server has seen it is not known. */
  readonly isSecondTry: boolean;
}

/** An answer of a known length up to this is sent in one write. */
const MAX_GATHERED_BYTES = 64 * 1024;
const EARLY_HINTS = 103;

/** One request on its way to an HTTP application server, and its answer on the way back. */
export class HttpForwarding implements RequestCarrier {
  readonly request: AppRequest;
  readonly startedAtMs: number;
  readonly isSecondTry: boolean;
  isStream = false;
  readonly #owner: ForwardingOwner;
  readonly #options: ForwardingOptions;
  #clientRequest: ClientRequest | undefined;
  #upload: UploadStream | undefined;
  #answer: IncomingMessage | undefined;
  #hasWholeAnswer = false;
  #isOver = false;

  constructor(options: ForwardingOptions, owner: ForwardingOwner) {
    this.request = options.request;
    this.startedAtMs = options.startedAtMs;
    this.isSecondTry = options.isSecondTry;
    this.#options = options;
    this.#owner = owner;
  }

  start(): void {
    const { exchange } = this.request;
    this.request.attach(this);
    // An error page that was sent instead of the answer finishes it too.
    exchange.response.once('close', this.#onResponseClosed);
    if (exchange.isUpgrade) this.#openTunnel();
    else this.#forward();
    // A server that switches protocols unasked closes it without an error.
    this.#clientRequest?.once('close', () => this.#onError(new Error('the connection was closed')));
  }

  /** The server's process has ended, or is about to. */
  close(): void {
    if (this.request.isWaiting) this.#fail(new Error('the application process ended'));
    else this.#cut();
  }

  onAbandoned(): void {
    this.#finish();
  }

  // Private

  #forward(): void {
    const { proxy, place, agent } = this.#options;
    this.#clientRequest = proxy.forward({
      head: this.#head(),
      place,
      agent,
      response: this.request.exchange.response,
      onAnswer: (answer) => this.#onAnswer(answer),
      onInformation: (status, { link }) => {
        if (status === EARLY_HINTS && link !== undefined) passEarlyHints(this.request.exchange, String(link));
      },
      onError: (error) => this.#onError(error),
    });
    this.#sendBody(this.#clientRequest);
  }

  #openTunnel(): void {
    const { proxy, place, agent } = this.#options;
    const { exchange } = this.request;
    const { socket } = exchange.request;
    this.#clientRequest = proxy.tunnel({
      head: this.#head(),
      place,
      agent,
      socket,
      openingHeaders: { 'x-request-id': exchange.id },
      onOpen: (upstream) => {
        const writtenBefore = socket.bytesWritten;
        // Before the listener of the same event that writes the access record.
        socket.prependOnceListener('close', () => {
          exchange.bodyBytes = socket.bytesWritten - writtenBefore;
        });
        exchange.isTunnel = true;
        upstream.once('close', () => this.#finish());
        this.#becomeStream();
      },
      onAnswer: (answer) => this.#onAnswer(answer),
      onError: (error) => this.#onError(error),
    });
  }

  #head(): ProxiedHead {
    const { exchange, headers = {} } = this.request;
    const query = exchange.query === '' ? '' : `?${exchange.query}`;
    return { method: exchange.method, target: exchange.path + query, headers };
  }

  #sendBody(target: ClientRequest): void {
    const { body } = this.request;
    switch (body.kind) {
      case 'none':
        target.end();
        return;
      case 'memory':
        target.end(body.bytes);
        return;
      case 'spooled':
        // A file that can't be read destroys the request, whose own error is handled.
        pipeline(createReadStream(body.path), target, () => {});
        return;
      case 'streamed':
        // Sends the head, by which alone the server may refuse the body. (flushHeaders() would turn it into UTF-8.)
        target.write('', 'latin1');
        // Not before there is a connection: a request that was not sent keeps its body for another process.
        target.once('socket', () => this.#startUpload(body, target));
    }
  }

  #startUpload(body: RequestBody & { kind: 'streamed' }, target: ClientRequest): void {
    if (this.#isOver) return;
    this.#upload = new UploadStream(
      body,
      {
        write: (piece) => target.write(piece),
        onceDrained: (callback) => target.once('drain', callback),
        end: () => target.end(),
      },
      (failure) => this.request.breakOff(failure),
    );
  }

  #onAnswer(answer: IncomingMessage): void {
    answer.on('error', () => {}); // 'close' follows
    if (this.#isOver) {
      answer.destroy();
      return;
    }
    this.#answer = answer;
    const hasNoBody = this.request.method === 'HEAD' || isBodiless(answer.statusCode as number);
    // A body, which such an answer may not have, would pass for the next answer on the same connection.
    if (hasNoBody && this.#clientRequest) this.#clientRequest.shouldKeepAlive = false;
    if (/^text\/event-stream\b/i.test(answer.headers['content-type'] ?? '')) this.#becomeStream();
    const length = Number(answer.headers['content-length'] ?? Number.NaN);
    answer.once('close', () => this.#onAnswerClosed(answer));
    if (!hasNoBody && length <= MAX_GATHERED_BYTES) this.#gather(answer);
    else this.#pass(answer);
  }

  #gather(answer: IncomingMessage): void {
    const pieces: Buffer[] = [];
    answer.on('data', (piece: Buffer) => pieces.push(piece));
    answer.once('end', () => {
      this.#hasWholeAnswer = true;
      const [first] = pieces;
      const body = pieces.length === 1 && first !== undefined ? first : Buffer.concat(pieces);
      this.#finish(() => this.request.writer.whole(headOf(answer), body));
    });
  }

  #pass(answer: IncomingMessage): void {
    const { writer } = this.request;
    writer.start(headOf(answer), undefined);
    answer.on('data', (piece: Buffer) => {
      if (this.#isOver || writer.write(piece)) return;
      answer.pause();
      writer.onceDrained(() => answer.resume());
    });
    answer.once('end', () => {
      this.#hasWholeAnswer = true;
      this.#finish(() => writer.end());
    });
  }

  /** An incomplete one: the server's process died, or closed the connection in the middle of its answer. */
  #onAnswerClosed(answer: IncomingMessage): void {
    if (answer.complete) return;
    if (this.request.isWaiting) this.#fail(new Error('the answer broke off'));
    else this.#cut();
  }

  /** Once an answer has begun, its own end counts: the connection may only take no more of the request. */
  #onError(error: Error): void {
    if (this.#answer === undefined && !this.request.exchange.isTunnel) this.#fail(error);
  }

  #becomeStream(): void {
    this.isStream = true;
    this.request.exchange.becomeStream();
    this.#owner.onStream(this);
  }

  readonly #onResponseClosed = (): void => this.#finish();

  #fail(error: Error): void {
    if (this.#isOver) return;
    this.#end();
    this.#owner.onBroken(this, error, { wasReused: this.#clientRequest?.reusedSocket ?? false });
  }

  #cut(): void {
    if (this.#isOver) return;
    this.#end();
    this.request.fail('upstream-died');
    this.#owner.onCut(this);
  }

  #finish(act: () => void = () => {}): void {
    if (this.#isOver) return;
    this.#end();
    this.#owner.onFinished(this);
    if (!this.request.isAbandoned) act();
  }

  #end(): void {
    this.#isOver = true;
    this.request.detach();
    this.request.exchange.response.off('close', this.#onResponseClosed);
    this.#upload?.stop();
    // Only after a complete answer to a complete request may the connection serve another one.
    if (!this.#hasWholeAnswer || this.#clientRequest?.writableFinished === false)
      this.#clientRequest?.destroy();
  }
}

// Private

/** As AnswerSink takes it (frames). */
function headOf({ statusCode, statusMessage, rawHeaders }: IncomingMessage): string {
  const named = readConnectionOptions(rawHeaders);
  const head = [`${statusCode} ${statusMessage}`];
  for (let at = 0; at < rawHeaders.length; at += 2) {
    const name = rawHeaders[at] as string;
    if (!named?.has(name.toLowerCase())) head.push(name, rawHeaders[at + 1] as string);
  }
  return head.join('\0');
}

/** A part of what Node itself takes (lib/internal/validators.js, linkValueRegExp). It throws on anything else. */
const LINK = /^<[^>]*>(?:\s*;\s*[a-z-]+(?:=(?:"[^;"\s]*"|[^;"\s,]*))?)*$/i;

/**
 * Passes the links of a 103 Early Hints on (RFC 8297) to a client that can take it: HTTP/1.0 knows no interim answers (RFC
 * 9110 section 15.2). Its other headers are left out.
 *
 * Several Link headers arrive as one, which Node would not send; what it does not take for a link is left out too.
 */
function passEarlyHints({ request, response }: Exchange, link: string): void {
  if (request.httpVersion === '1.0' || response.headersSent) return;
  const links = link.split(/,\s*(?=<)/).filter((one) => LINK.test(one));
  if (links.length > 0) response.writeEarlyHints({ link: links });
}

import { constants, type OutgoingHttpHeaders, type ServerHttp2Stream } from 'node:http2';
import { Writable } from 'node:stream';

type HeaderValue = string | number | readonly string[];

/** About the connection, which HTTP/2 keeps by itself (RFC 9113 section 8.2.2); a handler may write them all the same. */
const connectionHeaders = new Set([
  'connection',
  'keep-alive',
  'proxy-connection',
  'transfer-encoding',
  'upgrade',
  'http2-settings',
]);

/**
 * The answer to one HTTP/2 request, with the methods of http.ServerResponse that the front uses. Made by Front.
 *
 * Node's own Http2ServerResponse is no Writable (it has neither `destroyed` nor pipeline's good behaviour) and keeps only the last
 * of several headers of one name when it is given a list, Set-Cookie for example.
 */
export class Http2Response extends Writable {
  statusCode = 200;
  /** HTTP/2 has none (RFC 9113 section 8.3.2). */
  statusMessage = '';
  /** HTTP/2 has other means to end a connection; see http2-server. */
  shouldKeepAlive = true;
  headersSent = false;
  readonly #stream: ServerHttp2Stream;
  readonly #headers = new Map<string, string | string[]>();

  constructor(stream: ServerHttp2Stream) {
    super({ highWaterMark: 64 * 1024 });
    this.#stream = stream;
    stream.on('error', (error) => this.destroy(error));
    // The client has gone, or has given this answer up (RST_STREAM).
    stream.once('close', () => {
      if (!this.writableFinished) this.destroy();
    });
    this.on('error', () => {}); // whoever writes looks at `destroyed` and hears 'close', as with HTTP/1
  }

  writeHead(status: number, reasonOrHeaders: string | readonly string[], headers?: readonly string[]): this {
    if (this.headersSent) throw new Error('the head of this answer has been sent');
    const list = typeof reasonOrHeaders === 'string' ? headers : reasonOrHeaders;
    this.statusCode = status;
    for (let at = 0; list !== undefined && at + 1 < list.length; at += 2) {
      this.#append(list[at] as string, list[at + 1] as string);
    }
    return this;
  }

  setHeader(name: string, value: HeaderValue): this {
    this.#headers.delete(name.toLowerCase());
    for (const each of [value].flat()) this.#append(name, String(each));
    return this;
  }

  getHeader(name: string): string | string[] | undefined {
    return this.#headers.get(name.toLowerCase());
  }

  hasHeader(name: string): boolean {
    return this.#headers.has(name.toLowerCase());
  }

  getHeaderNames(): string[] {
    return [...this.#headers.keys()];
  }

  removeHeader(name: string): void {
    this.#headers.delete(name.toLowerCase());
  }

  flushHeaders(): void {
    this.#sendHead(false);
  }

  /** 100 Continue (RFC 9113 section 8.1). */
  writeContinue(): void {
    this.#sendInformation({ ':status': 100 });
  }

  writeEarlyHints(hints: OutgoingHttpHeaders): void {
    this.#sendInformation({ ...hints, ':status': 103 });
  }

  /** Ends the answer so that the client sees that it isn't whole; what was written before still goes out. */
  cut(): void {
    this.#stream.close(constants.NGHTTP2_INTERNAL_ERROR);
  }

  override _write(piece: Buffer, _encoding: string, callback: (error?: Error | null) => void): void {
    this.#sendHead(false);
    this.#stream.write(piece, callback);
  }

  override _writev(pieces: readonly { chunk: Buffer }[], callback: (error?: Error | null) => void): void {
    this.#sendHead(false);
    this.#stream.write(Buffer.concat(pieces.map(({ chunk }) => chunk)), callback);
  }

  override _final(callback: (error?: Error | null) => void): void {
    if (this.headersSent) this.#stream.end(callback);
    else {
      this.#sendHead(true);
      callback();
    }
  }

  override _destroy(error: Error | null, callback: (error?: Error | null) => void): void {
    if (!this.#stream.closed && !this.writableFinished) this.cut();
    callback(error);
  }

  // Private

  #append(name: string, value: string): void {
    const key = name.toLowerCase();
    if (connectionHeaders.has(key)) return;
    // What HTTP/1 refuses as well: it would end the header.
    if (/[\0\r\n]/.test(value)) throw new TypeError(`Invalid character in header content ["${name}"]`);
    const before = this.#headers.get(key);
    this.#headers.set(key, before === undefined ? value : [before, value].flat());
  }

  #sendHead(isEnd: boolean): void {
    if (this.headersSent || this.#stream.destroyed) return;
    const fields = Object.fromEntries(this.#headers);
    this.#stream.respond({ ':status': this.statusCode, ...fields }, { endStream: isEnd });
    this.headersSent = true;
  }

  #sendInformation(head: OutgoingHttpHeaders): void {
    if (!this.headersSent && !this.#stream.destroyed) this.#stream.additionalHeaders(head);
  }
}

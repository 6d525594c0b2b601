export interface WireResponse {
  readonly status: number;
  /** Lower-case names; the values of a repeated header are joined with a comma. */
  readonly headers: ReadonlyMap<string, string>;
  readonly body: Buffer;
}

/** The server sent something that is no HTTP/1.1 response with a length of its own. */
export class MalformedResponse extends Error {}

const headEnd = Buffer.from('\r\n\r\n');

/**
 * Takes the bytes of one HTTP/1.1 response (RFC 9112) and says when it is whole. Used by WireConnection.
 *
 * Strict on purpose: a response whose end only the closed connection would tell is malformed, for then nobody can
 * know whether it was cut.
 */
export class ResponseParser {
  readonly #isHead: boolean;
  #bytes: Buffer = Buffer.alloc(0);
  #head: { status: number; headers: Map<string, string>; bodyAt: number } | undefined;
  /** Where the next chunk begins, and the chunks so far. */
  #chunkAt = 0;
  readonly #chunks: Buffer[] = [];

  /** `method` of the request: a HEAD is answered without a body. */
  constructor(method: string) {
    this.#isHead = method === 'HEAD';
  }

  get hasBegun(): boolean {
    return this.#bytes.length > 0;
  }

  /** For messages. */
  get received(): number {
    return this.#bytes.length;
  }

  /** The response when it is whole, with what came behind it (a server that behaves sends nothing). */
  push(piece: Buffer): { response: WireResponse; extraBytes: number } | undefined {
    this.#bytes = this.#bytes.length === 0 ? piece : Buffer.concat([this.#bytes, piece]);
    this.#head ??= this.#readHead(0);
    if (this.#head === undefined) return undefined;
    const { status, headers, bodyAt } = this.#head;
    if (this.#isHead || status === 204 || status === 304) return this.#whole(Buffer.alloc(0), bodyAt);
    if (headers.has('transfer-encoding')) return this.#readChunks(headers);
    return this.#readLength(headers, bodyAt);
  }

  #readHead(from: number): { status: number; headers: Map<string, string>; bodyAt: number } | undefined {
    const end = this.#bytes.indexOf(headEnd, from);
    if (end < 0) return undefined;
    const [statusLine = '', ...lines] = this.#bytes.toString('latin1', from, end).split('\r\n');
    const status = Number(/^HTTP\/1\.1 (\d{3})(?: |$)/.exec(statusLine)?.[1]);
    if (Number.isNaN(status)) throw new MalformedResponse(`no status line: ${JSON.stringify(statusLine)}`);
    const bodyAt = end + headEnd.length;
    // An interim response (RFC 9110 section 15.2) comes before the real one.
    if (status < 200) return this.#readHead(bodyAt);
    this.#chunkAt = bodyAt;
    return { status, headers: readHeaders(lines), bodyAt };
  }

  #readLength(headers: ReadonlyMap<string, string>, bodyAt: number) {
    const text = headers.get('content-length');
    if (text === undefined) throw new MalformedResponse('neither Content-Length nor Transfer-Encoding');
    if (!/^\d+$/.test(text)) throw new MalformedResponse(`Content-Length: ${text}`);
    const end = bodyAt + Number(text);
    return this.#bytes.length < end ? undefined : this.#whole(this.#bytes.subarray(bodyAt, end), end);
  }

  #readChunks(headers: ReadonlyMap<string, string>) {
    if (headers.get('transfer-encoding') !== 'chunked' || headers.has('content-length')) {
      throw new MalformedResponse('a Transfer-Encoding other than chunked, or a Content-Length beside it');
    }
    for (;;) {
      const lineEnd = this.#bytes.indexOf('\r\n', this.#chunkAt);
      if (lineEnd < 0) return undefined;
      const line = this.#bytes.toString('latin1', this.#chunkAt, lineEnd);
      if (!/^[0-9a-fA-F]+$/.test(line)) throw new MalformedResponse(`chunk size ${JSON.stringify(line)}`);
      const size = Number.parseInt(line, 16);
      const dataAt = lineEnd + 2;
      const next = dataAt + size + 2;
      if (this.#bytes.length < next) return undefined;
      if (this.#bytes.toString('latin1', next - 2, next) !== '\r\n')
        throw new MalformedResponse('a chunk without end');
      this.#chunkAt = next;
      if (size === 0) return this.#whole(Buffer.concat(this.#chunks), next);
      this.#chunks.push(this.#bytes.subarray(dataAt, dataAt + size));
    }
  }

  #whole(body: Buffer, end: number): { response: WireResponse; extraBytes: number } {
    const { status, headers } = this.#head ?? { status: 0, headers: new Map() };
    return { response: { status, headers, body }, extraBytes: this.#bytes.length - end };
  }
}

function readHeaders(lines: readonly string[]): Map<string, string> {
  const headers = new Map<string, string>();
  for (const line of lines) {
    const colon = line.indexOf(':');
    if (colon < 1) throw new MalformedResponse(`header line ${JSON.stringify(line)}`);
    const name = line.slice(0, colon).toLowerCase();
    const value = line.slice(colon + 1).trim();
    const before = headers.get(name);
    headers.set(name, before === undefined ? value : `${before}, ${value}`);
  }
  return headers;
}

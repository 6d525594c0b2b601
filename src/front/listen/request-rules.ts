import type { Settings } from '../../settings/settings.js';
import { isAuthority, readTarget } from '../request-target.js';

/** Why a request is not taken. Its connection ends with the answer, because sender and server may differ on where it ends. */
export interface Refusal {
  readonly status: number;
  readonly sentence: string;
  /** Names and values in turn. */
  readonly headers?: readonly string[];
}

export const refusals = {
  version: { status: 505, sentence: 'This server speaks HTTP/1.0, HTTP/1.1 and HTTP/2.' },
  line: { status: 400, sentence: 'The request line is malformed.' },
  body: { status: 400, sentence: 'A request for a WebSocket has no body.' },
  chunk: { status: 400, sentence: 'The length of a chunk is malformed, or too large.' },
  bodyBytes: { status: 413, sentence: 'What you sent is larger than this site accepts.' },
  headerBytes: { status: 431, sentence: 'The headers of the request are too large.' },
  headerCount: { status: 431, sentence: 'The request has too many headers.' },
  method: { status: 501, sentence: 'This server does not know the method of the request.' },
  trace: { status: 405, sentence: 'TRACE is not allowed here.' },
  target: { status: 400, sentence: 'The address in the request is malformed.' },
  host: { status: 400, sentence: 'The request names no host, or a malformed one, or several.' },
  authorization: { status: 400, sentence: 'The request has several Authorization headers.' },
  encoding: { status: 400, sentence: 'The transfer encoding of the request is not chunked.' },
} as const satisfies Record<string, Refusal>;

/** A request before anything has been done for it; HTTP/2 as Http2Head has made it. */
export interface RequestHead {
  readonly method?: string | undefined;
  readonly url?: string | undefined;
  readonly httpVersion: string;
  readonly rawHeaders: readonly string[];
}

type RuleSettings = Pick<Settings, 'methods' | 'maxHeaderCount' | 'domains'>;

const standardMethods = ['GET', 'HEAD', 'POST', 'PUT', 'PATCH', 'DELETE', 'OPTIONS'];

/**
 * What a request has to be before anybody looks at it, the same for HTTP/1 and HTTP/2. Node's parser and nghttp2 have refused what
 * they find wrong, but the former takes more than RFC 9112 allows, so that servers behind or before us may read it differently.
 */
export class RequestRules {
  #methods: ReadonlySet<string> = new Set();
  #maxHeaderCount = 0;
  #hasDomains = false;

  constructor(settings: RuleSettings) {
    this.use(settings);
  }

  use({ methods, maxHeaderCount, domains }: RuleSettings): void {
    this.#methods = new Set([...standardMethods, ...methods]);
    this.#maxHeaderCount = maxHeaderCount;
    this.#hasDomains = domains.length > 0;
  }

  /** Undefined: it may go on. */
  refusalOf(head: RequestHead): Refusal | undefined {
    if (this.isTooMany(head.rawHeaders)) return refusals.headerCount;
    // Of two credentials one server looks at the first, another at the last.
    if (valuesOf(head.rawHeaders, 'authorization').length > 1) return refusals.authorization;
    return this.#refuseMethod(head.method ?? '') ?? this.#refuseHost(head) ?? refuseEncoding(head);
  }

  /** Of headers or trailers: names and values in turn. */
  isTooMany(fields: readonly string[]): boolean {
    return fields.length > 2 * this.#maxHeaderCount;
  }

  // Private

  #refuseMethod(method: string): Refusal | undefined {
    if (this.#methods.has(method)) return undefined;
    if (method !== 'TRACE') return refusals.method;
    // Known, and allowed nowhere: it would show cookies to scripts (RFC 9110 section 9.3.8).
    return { ...refusals.trace, headers: ['Allow', [...this.#methods].join(', ')] };
  }

  #refuseHost({ method, url = '', httpVersion, rawHeaders }: RequestHead): Refusal | undefined {
    const target = readTarget(url);
    if (target === undefined || (target.path === '*' && method !== 'OPTIONS')) return refusals.target;
    // No path of a file or an environ can have it, and what compares strings of C sees another path than we (nginx refuses it too).
    if (/^[^?]*%00/.test(target.path)) return refusals.target;
    const hosts = valuesOf(rawHeaders, 'host');
    const [host] = hosts;
    if (hosts.length > 1 || (host === undefined && httpVersion !== '1.0')) return refusals.host;
    if (host !== undefined && !isAuthority(host)) return refusals.host;
    const { authority } = target;
    if (authority === undefined) return undefined;
    if (!isAuthority(authority)) return refusals.target;
    const isOther = host !== undefined && host.toLowerCase() !== authority.toLowerCase();
    return isOther && this.#hasDomains ? refusals.host : undefined;
  }
}

/** What Node's parser lets pass of a request line: HTTP/0.9, and HTTP/2.0 in letters. `isExact`: see RequestLines. */
export function refusalOfLine(httpVersion: string, isExact: boolean): Refusal | undefined {
  if (httpVersion !== '1.1' && httpVersion !== '1.0') return refusals.version;
  return isExact ? undefined : refusals.line;
}

/** The same of a request line before the rest of its head: of HTTP/0.9 no more may come. `line`: without its line feed. */
export function refusalOfLineAlone(line: string): Refusal | undefined {
  if (/ HTTP\/1\.[01]\r$/.test(line)) return undefined;
  return / (?:RTSP|ICE)\/\S+\r$/.test(line) ? refusals.line : refusals.version;
}

/** A WebSocket begins with a GET without a body (RFC 6455 section 4.1): what came behind its head would be read as frames. */
export function refusalOfBody({ rawHeaders }: RequestHead): Refusal | undefined {
  const lengths = valuesOf(rawHeaders, 'content-length').filter((length) => Number(length) !== 0);
  const encodings = valuesOf(rawHeaders, 'transfer-encoding');
  return lengths.length + encodings.length === 0 ? undefined : refusals.body;
}

/** A target in absolute form decides on the host (RFC 9112 section 3.2.2): the Host header becomes what it names. */
export function takeHostFromTarget(request: {
  readonly url?: string | undefined;
  readonly headers: { host?: string | undefined };
  readonly rawHeaders: string[];
}): void {
  if (request.url?.startsWith('/')) return;
  const authority = readTarget(request.url ?? '')?.authority;
  if (authority === undefined) return;
  const { rawHeaders } = request;
  const at = rawHeaders.findIndex((name, index) => index % 2 === 0 && name.toLowerCase() === 'host');
  if (at < 0) rawHeaders.push('Host', authority);
  else rawHeaders[at + 1] = authority;
  request.headers.host = authority;
}

// Private

/**
 * Nothing but `chunked`, once: what else RFC 9112 section 6.1 allows nobody sends but to have two servers find two ends of a body.
 * HTTP/1.0 knows none at all.
 */
function refuseEncoding({ httpVersion, rawHeaders }: RequestHead): Refusal | undefined {
  const encodings = valuesOf(rawHeaders, 'transfer-encoding');
  if (encodings.length === 0) return undefined;
  const isChunked = encodings.length === 1 && encodings[0]?.toLowerCase() === 'chunked';
  return isChunked && httpVersion !== '1.0' ? undefined : refusals.encoding;
}

function valuesOf(rawHeaders: readonly string[], name: string): string[] {
  const values: string[] = [];
  for (let at = 0; at + 1 < rawHeaders.length; at += 2) {
    const candidate = rawHeaders[at] as string;
    if (candidate.length === name.length && candidate.toLowerCase() === name) {
      values.push(rawHeaders[at + 1] as string);
    }
  }
  return values;
}

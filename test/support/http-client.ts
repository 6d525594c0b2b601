import { once } from 'node:events';
import { type IncomingHttpHeaders, type IncomingMessage, type OutgoingHttpHeaders, request } from 'node:http';
import { pipeline } from 'node:stream/promises';

/** A whole answer; nothing is decompressed, followed or joined. */
export interface HttpAnswer {
  readonly status: number;
  readonly headers: IncomingHttpHeaders;
  /** Every value of a header, in the order of arrival; [] where it is missing. */
  readonly valuesOf: (name: string) => readonly string[];
  readonly body: Buffer;
  readonly text: string;
}

export interface Asking {
  readonly method?: string;
  readonly headers?: OutgoingHttpHeaders;
  /** An iterable is sent chunked, unless the headers name its length, at the pace of the server. */
  readonly body?: string | Uint8Array | Iterable<Uint8Array>;
  readonly timeoutMs?: number;
  /** Of the client; all of 127.0.0.0/8 are there. */
  readonly localAddress?: string;
}

/**
 * One request on a connection of its own. The path goes out as it is given: `..` and escapes are not touched.
 *
 * Rejects when the connection is refused or cut, and when the answer is not whole after `timeoutMs` (30 s).
 */
export async function ask(baseUrl: string, path: string, asking: Asking = {}): Promise<HttpAnswer> {
  const response = await openAnswer(baseUrl, path, asking);
  const pieces: Buffer[] = [];
  for await (const piece of response) pieces.push(piece as Buffer);
  const body = Buffer.concat(pieces);
  return {
    status: response.statusCode ?? 0,
    headers: response.headers,
    valuesOf: (name) => response.headersDistinct[name.toLowerCase()] ?? [],
    body,
    text: body.toString(),
  };
}

/** Resolves with the head; the body is the caller's to read. */
export async function openAnswer(
  baseUrl: string,
  path: string,
  { method = 'GET', headers = {}, body, timeoutMs = 30_000, localAddress }: Asking = {},
): Promise<IncomingMessage> {
  const { hostname, port } = new URL(baseUrl);
  const outgoing = request({
    host: hostname,
    port,
    path,
    method,
    headers,
    localAddress,
    agent: false,
    signal: AbortSignal.timeout(timeoutMs),
  });
  const answered = once(outgoing, 'response') as Promise<[IncomingMessage]>;
  if (body === undefined || typeof body === 'string' || body instanceof Uint8Array) {
    // Bytes in any case: together with a string Node encodes the headers as UTF-8 too.
    outgoing.end(typeof body === 'string' ? Buffer.from(body) : body);
    return (await answered)[0];
  }
  // The server may answer, and close, before it has read all of the body: then the answer is what counts.
  const sent = pipeline(body, outgoing).then(() => answered);
  return (await Promise.race([answered, sent]))[0];
}

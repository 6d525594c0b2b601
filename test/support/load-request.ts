import { createHash, randomBytes } from 'node:crypto';
import type { WireResponse } from './response-parser.js';
import { WireFailure } from './wire-connection.js';

/** One request of loadDuring, ready to be written, with what the fixture's echo view must answer. */
export interface LoadRequest {
  readonly method: 'GET' | 'POST';
  readonly query: string;
  readonly bytes: Buffer;
  readonly bodyLength: number;
  readonly bodySha256: string;
}

interface Payload {
  readonly method: 'GET' | 'POST';
  readonly framing: string;
  readonly wire: Buffer;
  readonly length: number;
  readonly sha256: string;
}

/** The last one is above what fits into one segment and one pipe buffer (64 KiB on Linux). */
const bodySizes = [0, 1, 333, 4_096, 90_000];

const payloads: readonly Payload[] = [
  ...bodySizes.flatMap((size) => [get(), post(size), get(), chunkedPost(size)]),
];

/** Request number `n` of one client: GETs and POSTs in turn, bodies of several sizes, with a length and chunked. */
export function makeRequest(
  n: number,
  options: { path: string; host: string; tag: string; keepAlive: boolean },
): LoadRequest {
  // Two requests of each kind follow each other: the first goes out fresh, the second on a reused connection.
  const payload = payloads[(n >> 1) % payloads.length] ?? get();
  // The nonce: an answer that belongs to another request, also of another load, is noticed.
  const query = `tag=${options.tag}-${n}-${randomBytes(6).toString('hex')}&pad=${(n * 37) % 1500}`;
  const head =
    `${payload.method} ${options.path}?${query} HTTP/1.1\r\n` +
    `Host: ${options.host}\r\n` +
    `Connection: ${options.keepAlive ? 'keep-alive' : 'close'}\r\n` +
    `${payload.framing}\r\n`;
  return {
    method: payload.method,
    query,
    bytes: Buffer.concat([Buffer.from(head, 'latin1'), payload.wire]),
    bodyLength: payload.length,
    bodySha256: payload.sha256,
  };
}

/** The release that answered. Throws WireFailure when the answer is not exactly what it must be. */
export function checkAnswer(request: LoadRequest, response: WireResponse): string {
  if (response.status !== 200) {
    throw new WireFailure('status', `${response.status} ${response.body.toString('utf8', 0, 200)}`);
  }
  const digest = response.headers.get('x-fixture-digest');
  if (digest !== sha256(response.body)) throw new WireFailure('body', `X-Fixture-Digest is ${digest}`);
  const echo = parseObject(response.body.toString());
  const expected = {
    method: request.method,
    query: request.query,
    length: request.bodyLength,
    sha256: request.bodySha256,
  };
  for (const [name, value] of Object.entries(expected)) {
    if (echo[name] !== value) throw new WireFailure('body', `${name} is ${echo[name]} instead of ${value}`);
  }
  if (typeof echo.version !== 'string') throw new WireFailure('body', 'no version in the answer');
  return echo.version;
}

function parseObject(text: string): Readonly<Record<string, unknown>> {
  try {
    return Object(JSON.parse(text)) as Record<string, unknown>;
  } catch (error) {
    if (error instanceof SyntaxError) throw new WireFailure('body', `no JSON: ${text.slice(0, 200)}`);
    throw error;
  }
}

function get(): Payload {
  return { method: 'GET', framing: '', wire: Buffer.alloc(0), length: 0, sha256: sha256(Buffer.alloc(0)) };
}

function post(size: number): Payload {
  const body = makeBody(size);
  const framing = `Content-Type: application/octet-stream\r\nContent-Length: ${size}\r\n`;
  return { method: 'POST', framing, wire: body, length: size, sha256: sha256(body) };
}

function chunkedPost(size: number): Payload {
  const body = makeBody(size);
  const cut = size >> 1;
  const wire = Buffer.concat([
    chunk(body.subarray(0, cut)),
    chunk(body.subarray(cut)),
    Buffer.from('0\r\n\r\n'),
  ]);
  const framing = 'Content-Type: application/octet-stream\r\nTransfer-Encoding: chunked\r\n';
  return { method: 'POST', framing, wire, length: size, sha256: sha256(body) };
}

/** A chunk of no bytes would end the body (RFC 9112 section 7.1). */
function chunk(bytes: Buffer): Buffer {
  if (bytes.length === 0) return Buffer.alloc(0);
  return Buffer.concat([Buffer.from(`${bytes.length.toString(16)}\r\n`), bytes, Buffer.from('\r\n')]);
}

/** Bytes that look nothing like text, and differ with the size. */
function makeBody(size: number): Buffer {
  return Buffer.from(Array.from({ length: size }, (_, index) => (index * 7 + size) & 0xff));
}

function sha256(bytes: Buffer): string {
  return createHash('sha256').update(bytes).digest('hex');
}

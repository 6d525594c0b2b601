import { createHash, randomBytes } from 'node:crypto';
import type { WireResponse } from './response-parser.js';

/** A request to the fixtures' echo view that nobody else sends: its answer fits no other request. */
export interface NonceRequest {
  readonly method: 'GET' | 'POST';
  readonly target: string;
  readonly query: string;
  readonly body: Buffer;
}

/** `bodyBytes`: a POST. `padBytes`: how much longer the answer is. */
export function makeNonceRequest({ bodyBytes = 0, padBytes = 0 } = {}): NonceRequest {
  const query = `nonce=${randomBytes(12).toString('hex')}&pad=${padBytes}`;
  const method = bodyBytes > 0 ? 'POST' : 'GET';
  return { method, target: `/echo?${query}`, query, body: randomBytes(bodyBytes) };
}

/** As it goes over HTTP/1.1. */
export function toWire({ method, target, body }: NonceRequest, host: string): Buffer {
  const length = method === 'POST' ? `Content-Length: ${body.length}\r\n` : '';
  return Buffer.concat([Buffer.from(`${method} ${target} HTTP/1.1\r\nHost: ${host}\r\n${length}\r\n`), body]);
}

/** What is wrong with an answer of the application; undefined for the one that belongs to the request. */
export function findMixUp(request: NonceRequest, { headers, body }: WireResponse): string | undefined {
  if (headers.get('x-fixture-digest') !== sha256(body)) return `the body is not what X-Fixture-Digest says`;
  const { method, query, sha256: received } = JSON.parse(body.toString()) as Record<string, unknown>;
  if (query !== request.query) return `the answer to ${query} came to ${request.query}`;
  if (method !== request.method) return `${request.method} arrived as ${method}`;
  return received === sha256(request.body) ? undefined : `another body arrived with ${query}`;
}

function sha256(bytes: Buffer): string {
  return createHash('sha256').update(bytes).digest('hex');
}

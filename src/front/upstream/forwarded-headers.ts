import type { OutgoingHttpHeaders } from 'node:http';
import type { Exchange } from '../exchange.js';
import { isPassedOn, readConnectionOptions } from './passed-headers.js';
import type { RequestBody } from './request-body.js';

const SENDABLE_TARGET = /^[\x21-\xff]*$/;

/**
 * The headers that an HTTP application server gets: the client's, without those that are about the connection or that
 * pretend to come from a proxy, and what the front says of client and request.
 *
 * Undefined for a second Host header (RFC 9112 section 3.2), and for a target with a control character. Used by AppRequest.
 */
export function makeForwardedHeaders(exchange: Exchange, body: RequestBody): OutgoingHttpHeaders | undefined {
  const { request, client } = exchange;
  // Node's parser takes a tab and a form feed in a target, and its client refuses to send them.
  if (!SENDABLE_TARGET.test(request.url ?? '')) return undefined;
  const headers = copyHeaders(request.rawHeaders, client.isPeerTrusted);
  if (Array.isArray(headers.host)) return undefined;
  headers['x-request-id'] = exchange.id;
  headers['x-forwarded-for'] = client.address;
  headers['x-forwarded-proto'] = client.scheme;
  if (client.host !== '') headers['x-forwarded-host'] = client.host;
  if (exchange.isUpgrade) {
    headers.connection = 'Upgrade';
    headers.upgrade = 'websocket';
  }
  return { ...headers, ...announceBody(exchange, body) };
}

// Private

function copyHeaders(raw: readonly string[], isPeerTrusted: boolean): OutgoingHttpHeaders {
  // Without a prototype: a header may be called `__proto__`.
  const headers: OutgoingHttpHeaders = Object.create(null);
  const named = readConnectionOptions(raw);
  for (let at = 0; at < raw.length; at += 2) {
    const name = (raw[at] as string).toLowerCase();
    if (!isPassedOn(name, isPeerTrusted) || named?.has(name)) continue;
    const value = raw[at + 1] as string;
    const before = headers[name];
    if (before === undefined) headers[name] = value;
    // One line, as RFC 9113 section 8.2.3 has it for HTTP/2, where they come apart.
    else if (name === 'cookie') headers[name] = `${before}; ${value}`;
    else if (name !== 'content-type')
      headers[name] = Array.isArray(before) ? [...before, value] : [String(before), value];
  }
  return headers;
}

/** What the server may rely on: one length, or chunks, and never both. */
function announceBody({ request }: Exchange, body: RequestBody): OutgoingHttpHeaders {
  switch (body.kind) {
    case 'none':
      return request.headers['content-length'] === undefined ? {} : { 'content-length': '0' };
    case 'memory':
      return { 'content-length': String(body.bytes.length) };
    default:
      return body.length === undefined
        ? { 'transfer-encoding': 'chunked' }
        : { 'content-length': String(body.length) };
  }
}

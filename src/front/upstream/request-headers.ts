import type { OutgoingHttpHeaders } from 'node:http';
import type { ClientFacts, Exchange } from '../exchange.js';
import { hopByHopHeaders, readConnectionOptions } from '../hop-by-hop.js';
import { knownBytes, type RequestBody } from './request-body.js';

/** The front says these anew, or has dealt with them. `Proxy` would become HTTP_PROXY (CVE-2016-5385). */
const replaced = new Set([
  'content-length',
  'expect',
  'proxy',
  'x-forwarded-for',
  'x-forwarded-host',
  'x-forwarded-proto',
  'x-request-id',
]);
/**
 * What applications, their frameworks and proxies believe about who the client is, which host or path it asked for, and how; so do
 * all that begin with X-Forwarded-. Only a trusted proxy may say it, where `proxyHeaders` names it.
 */
const believed = new Set([
  'cf-connecting-ip',
  'fastly-client-ip',
  'forwarded',
  'front-end-https',
  'true-client-ip',
  'x-client-ip',
  'x-cluster-client-ip',
  'x-forwarded',
  'x-host',
  'x-http-host-override',
  'x-original-host',
  'x-original-url',
  'x-real-ip',
  'x-rewrite-url',
  'x-scheme',
  'x-url-scheme',
]);
const SENDABLE_TARGET = /^[\x21-\xff]*$/;

/** Header names, in lower case, with their values: several where a name came on several lines. */
export type CollectedHeaders = Record<string, string | string[]>;

/** Whether an application gets this header as the client sent it; `name` in lower case. */
export function isPassedOn(name: string, { believedHeaders }: ClientFacts): boolean {
  if (hopByHopHeaders.has(name) || replaced.has(name)) return false;
  // `X_Forwarded_For` and `X.Forwarded.For` would become the same environ variable as the real header.
  if (name.includes('_') || name.includes('.')) return false;
  return believedHeaders.has(name) || !(believed.has(name) || name.startsWith('x-forwarded-'));
}

/**
 * The headers that an application gets as the client sent them, without those named in `except`. Cookies become one line
 * (RFC 9113 section 8.2.3), and the first Content-Type counts.
 *
 * Undefined for a second Host header (RFC 9112 section 3.2).
 */
export function collectHeaders(
  { rawHeaders }: Exchange['request'],
  client: ClientFacts,
  except?: ReadonlySet<string>,
): CollectedHeaders | undefined {
  // Without a prototype: a header may be called `__proto__`.
  const headers: CollectedHeaders = Object.create(null);
  for (let at = 0; at < rawHeaders.length; at += 2) {
    const name = (rawHeaders[at] as string).toLowerCase();
    if (!isPassedOn(name, client) || except?.has(name)) continue;
    const value =
      name === 'if-match' ? asStrong(rawHeaders[at + 1] as string) : (rawHeaders[at + 1] as string);
    const before = headers[name];
    if (before === undefined) headers[name] = value;
    else if (name === 'host') return undefined;
    else if (name === 'cookie') headers[name] = `${before}; ${value}`;
    else if (name !== 'content-type') headers[name] = [before, value].flat();
  }
  return headers;
}

/**
 * The headers that an HTTP application server gets: the client's, without those that are about the connection or that
 * pretend to come from a proxy, and what the front says of client and request.
 *
 * Undefined for a second Host header, and for a target with a control character.
 */
export function makeForwardedHeaders(exchange: Exchange, body: RequestBody): OutgoingHttpHeaders | undefined {
  const { request, client } = exchange;
  // Node's parser takes a tab and a form feed in a target, and its client refuses to send them.
  if (!SENDABLE_TARGET.test(request.url ?? '')) return undefined;
  const headers: OutgoingHttpHeaders | undefined = collectHeaders(
    request,
    client,
    readConnectionOptions(request.rawHeaders),
  );
  if (headers === undefined) return undefined;
  headers['x-request-id'] = exchange.id;
  headers['x-forwarded-for'] = client.address;
  headers['x-forwarded-proto'] = client.scheme;
  if (client.host !== '') headers['x-forwarded-host'] = client.host;
  if (exchange.isUpgrade) {
    headers.connection = 'Upgrade';
    headers.upgrade = 'websocket';
  }
  // The server may rely on one length, or on chunks, and never gets both.
  const contentLength = knownBytes(body, request);
  if (contentLength !== undefined) headers['content-length'] = String(contentLength);
  else if (body.kind === 'streamed') headers['transfer-encoding'] = 'chunked';
  return headers;
}

// Private

/**
 * The tag of a page that we have compressed is weak (encoding/compression), which If-Match never takes (RFC 9110 section 13.1.1): the
 * application gets back the one that it gave. One that was weak from the start matches no better without the mark.
 */
function asStrong(tags: string): string {
  return tags.replace(/W\/(?=")/g, '');
}

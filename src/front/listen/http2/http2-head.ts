import type { Http2ServerRequest } from 'node:http2';

/**
 * Makes the head of an HTTP/2 request look as HTTP/1 has it, for all that read it: `:authority` becomes the Host header (RFC 9113
 * section 8.3.1), the other pseudo-headers go, cookies become one line (section 8.2.3), and a body without a length counts as
 * chunked.
 *
 * False for a head that names two hosts, which section 8.3.1 calls malformed. nghttp2 has refused all else that is malformed.
 */
export function normalizeHead(request: Http2ServerRequest): boolean {
  const { headers, rawHeaders, stream } = request;
  const authority = headers[':authority'];
  const plain: string[] = authority === undefined ? [] : ['host', authority];
  const cookies: string[] = [];
  let isOneHost = true;
  for (let at = 0; at + 1 < rawHeaders.length; at += 2) {
    const name = rawHeaders[at] as string;
    const value = rawHeaders[at + 1] as string;
    if (name.startsWith(':')) continue;
    if (name === 'cookie') cookies.push(value);
    else if (name !== 'host' || authority === undefined) plain.push(name, value);
    else if (value.toLowerCase() !== authority.toLowerCase()) isOneHost = false;
  }
  if (cookies.length > 0) plain.push('cookie', cookies.join('; '));
  rawHeaders.splice(0, rawHeaders.length, ...plain);
  if (authority !== undefined) headers.host = authority;
  if (!stream.endAfterHeaders && headers['content-length'] === undefined) {
    headers['transfer-encoding'] = 'chunked';
  }
  return isOneHost;
}

/** What the client sent as its head, for the limit `maxHeaderBytes` (RFC 9113 section 6.5.2: 32 bytes more for each field). */
export function countHeadBytes({ rawHeaders, url }: Http2ServerRequest): number {
  return rawHeaders.reduce((sum, text, at) => sum + text.length + (at % 2 === 0 ? 32 : 0), url.length);
}

import { METHODS } from 'node:http';
import { isIP } from 'node:net';
import { type Format, listOf, textLike, textThat } from './formats.js';

/** Formats of what stands in requests and on the network: addresses, methods, URL paths. */

/** RFC 1123 section 2.1; the last label has a letter, else a mistyped IPv4 address would pass as a name. */
export const hostName =
  /^(?=.{1,253}$)(?:[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?\.)*(?=[0-9-]*[a-z])[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?$/i;

/** For sun_path with its 108 bytes (unix(7)): longer ones libuv cuts off without a word. A name for a moment has room beside it. */
const MAX_SOCKET_PATH_BYTES = 91;
const unixHost = /^unix:(\/\P{Cc}+)$/u;

/** What a listening socket can be bound to. */
export const hostAddress = textThat(
  (text) => isIP(text) !== 0 || hostName.test(text) || isUnixHost(text),
  'an IP address or a host name, without port or brackets, or unix: with the absolute path of a socket',
);

function isUnixHost(text: string): boolean {
  const [, path = ''] = unixHost.exec(text) ?? [];
  return path !== '' && Buffer.byteLength(path) <= MAX_SOCKET_PATH_BYTES;
}

/** What a Host header may say: RFC 9110 section 7.2. */
export const hostHeader = textThat(isHostHeader, 'a host name or IP address, with a port if needed');

function isHostHeader(text: string): boolean {
  const [, bracketed, plain, port] = /^(?:\[([^\]]*)\]|([^:[\]]*))(?::([0-9]{1,5}))?$/.exec(text) ?? [];
  if (port !== undefined && Number(port) > 65_535) return false;
  if (bracketed !== undefined) return isIP(bracketed) === 6;
  return plain !== undefined && (isIP(plain) === 4 || hostName.test(plain));
}

const addressBlock = textThat(isAddressBlock, 'an IP address or CIDR block');

function isAddressBlock(text: string): boolean {
  const [, address = text, bits] = /^([^/]*)\/(0|[1-9][0-9]{0,2})$/.exec(text) ?? [];
  const version = isIP(address);
  if (version === 0) return false;
  return bits === undefined || Number(bits) <= (version === 4 ? 32 : 128);
}

export const addressBlocks = listOf(
  addressBlock,
  'a list of IP addresses and CIDR blocks, like ["10.0.0.0/8", "::1"]',
);

/** RFC 9110 section 5.1, without what could pass for another name in a WSGI environ. */
const headerName = textLike(/^[A-Za-z0-9-]+$/, 'the name of a header');

export const headerNames = listOf(
  headerName,
  'a list of header names, like ["X-Forwarded-For", "X-Real-IP"]',
);

/** What Node's parser knows, without CONNECT, which asks for a tunnel, and SOURCE, which is none of HTTP's. */
const methodName = textThat(
  (text) => METHODS.includes(text) && text !== 'CONNECT' && text !== 'SOURCE',
  'a request method that Node.js knows, in capitals',
);

export const methodNames = listOf(
  methodName,
  'a list of request methods that Node.js knows, in capitals, like ["PROPFIND", "REPORT"]',
);

/** Printable ASCII without a fragment: what may stand in a request line (RFC 9112 section 3.2.1). */
export const requestPath = textLike(/^\/[!-"$-~]*$/, 'a URL path that begins with a slash');

const requestPaths = listOf(requestPath, '');

/** As text: separated by commas, before each of which a new path begins with its slash. */
export const oneOrMorePaths: Format<string | readonly string[]> = {
  allowed: `${requestPath.allowed}, or a list of such paths`,
  accepts: (value): value is string | readonly string[] =>
    requestPath.accepts(value) || (requestPaths.accepts(value) && value.length > 0),
  read(text) {
    const paths = text.split(/,\s*(?=\/)/);
    return paths.length === 1 ? text : paths;
  },
};

/** Without a query as well; begins with a slash. */
export const pathPrefix = textLike(/^\/[!-"$->@-~]*$/, 'a URL path that begins with a slash');

export const pathPrefixes = listOf(pathPrefix, 'a list of URL paths that begin with a slash');

/** WSGI's SCRIPT_NAME (PEP 3333), which is decoded: empty, or begins with a slash and ends without one. */
export const scriptPrefix = textLike(
  /^(?:\/[!-"$&-.0->@-~][!-"$&->@-~]*(?<!\/))?$/,
  'empty, or a URL path that begins with a slash and ends without one, and has no escapes',
);

import { isIPv6 } from 'node:net';

/** What a request line, or `:path`, asks for (RFC 9112 section 3.2). */
export interface RequestTarget {
  /** Of a target in absolute form, which counts more than the Host header (RFC 9112 section 3.2.2). */
  readonly authority: string | undefined;
  /** Path and query as sent, or `*`. */
  readonly path: string;
}

const ABSOLUTE = /^https?:\/\/([^/?#]*)(.*)$/i;
/** Without a fragment, and in ASCII (RFC 3986 section 3.3): Node's parser lets tabs and fragments pass, nghttp2 bytes above 127 too. */
const PATH = /^\/[!"$-~]*$/;

/** Undefined for what no client of a server of origin may send; `*` is for OPTIONS alone, which the caller knows. */
export function readTarget(target: string): RequestTarget | undefined {
  if (PATH.test(target) || target === '*') return { authority: undefined, path: target };
  const [, authority, rest] = ABSOLUTE.exec(target) ?? [];
  if (authority === undefined || rest === undefined) return undefined;
  const path = rest.startsWith('/') ? rest : `/${rest}`;
  return PATH.test(path) ? { authority, path } : undefined;
}

const AUTHORITY = /^(?:\[([0-9a-f:.]+)\]|[\w-]+(?:\.[\w-]+)*\.?)(?::(\d{0,5}))?$/i;
const MAX_AUTHORITY_LENGTH = 261; // 255 (RFC 1035 section 2.3.4) and a port

/**
 * Whether this names a host, and perhaps its port, as Host and `:authority` do. Narrower than RFC 3986 section 3.2.2: nobody's name
 * has an escape, a quote or a comma in it, and applications make addresses of what they find there. The underscore is for names
 * that containers have.
 */
export function isAuthority(text: string): boolean {
  if (text.length > MAX_AUTHORITY_LENGTH) return false;
  const match = AUTHORITY.exec(text);
  if (match === null) return false;
  const [, address, port = ''] = match;
  if (address !== undefined && !isIPv6(address)) return false;
  return port === '' || (Number(port) > 0 && Number(port) <= 65_535);
}

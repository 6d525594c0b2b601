import { isIP } from 'node:net';

/** Who stands before the proxy, and the length of the header. `client` is undefined where the proxy speaks for itself. */
export interface ProxyHeader {
  readonly bytes: number;
  readonly client: { readonly address: string; readonly port: number } | undefined;
}

const SIGNATURE = Buffer.from('\r\n\r\n\0\r\nQUIT\n', 'latin1');
/** The longest of version 1, with its CRLF (the PROXY protocol specification of HAProxy, section 2.1). */
const MOST_TEXT_BYTES = 107;
/** What a proxy may add to the addresses of version 2; HAProxy and the clouds stay below 536. */
const MOST_BINARY_BYTES = 4096;
const CRLF = '\r\n';

/**
 * Reads the PROXY protocol, version 1 or 2, from the first bytes of a connection (HAProxy, doc/proxy-protocol.txt). They must come
 * before anything else, TLS included.
 */
export function parseProxyHeader(seen: Buffer): ProxyHeader | 'incomplete' | 'invalid' {
  const common = Math.min(seen.length, SIGNATURE.length);
  if (common > 0 && SIGNATURE.compare(seen, 0, common, 0, common) === 0) {
    return seen.length < 16 ? 'incomplete' : parseBinary(seen);
  }
  return parseText(seen);
}

// Private

/** Version 1: `PROXY TCP4 192.0.2.1 198.51.100.1 56324 443\r\n`. */
function parseText(seen: Buffer): ProxyHeader | 'incomplete' | 'invalid' {
  const text = seen.toString('latin1', 0, MOST_TEXT_BYTES);
  if (!'PROXY '.startsWith(text.slice(0, 6))) return 'invalid';
  const end = text.indexOf(CRLF);
  if (end < 0) return seen.length < MOST_TEXT_BYTES ? 'incomplete' : 'invalid';
  const bytes = end + CRLF.length;
  const line = text.slice(0, end);
  if (line === 'PROXY UNKNOWN' || line.startsWith('PROXY UNKNOWN ')) return { bytes, client: undefined };
  const [, family, address = '', target = '', port = '', targetPort = ''] =
    /^PROXY TCP(4|6) (\S+) (\S+) (0|[1-9]\d{0,4}) (0|[1-9]\d{0,4})$/.exec(line) ?? [];
  const isRight = [address, target].every((one) => isIP(one) === Number(family));
  if (!isRight || Number(port) > 65_535 || Number(targetPort) > 65_535) return 'invalid';
  return { bytes, client: { address, port: Number(port) } };
}

/** Version 2: signature, version and command, family, length, addresses, and what we need not know. */
function parseBinary(seen: Buffer): ProxyHeader | 'incomplete' | 'invalid' {
  const command = seen[12] as number;
  const family = seen[13] as number;
  const length = seen.readUInt16BE(14);
  const bytes = 16 + length;
  if (command !== 0x20 && command !== 0x21) return 'invalid';
  if (bytes > MOST_BINARY_BYTES) return 'invalid';
  if (seen.length < bytes) return 'incomplete';
  // LOCAL: a connection of the proxy's own, such as a health check; and what is no TCP over IP.
  if (command === 0x20 || (family !== 0x11 && family !== 0x21)) return { bytes, client: undefined };
  const size = family === 0x11 ? 4 : 16;
  if (length < 2 * size + 4) return 'invalid';
  const address = readAddress(seen.subarray(16, 16 + size));
  return { bytes, client: { address, port: seen.readUInt16BE(16 + 2 * size) } };
}

function readAddress(raw: Buffer): string {
  if (raw.length === 4) return raw.join('.');
  const groups = Array.from({ length: 8 }, (_, at) => raw.readUInt16BE(2 * at).toString(16));
  return new URL(`http://[${groups.join(':')}]/`).hostname.slice(1, -1); // in the usual short form (RFC 5952)
}

/** NAT64: the last 32 bits are an IPv4 address (RFC 6052 section 2.1). */
const NAT64 = '0064:ff9b:0000:0000:0000:0000';
const MAPPED = '0000:0000:0000:0000:0000:ffff';

/**
 * What counts as one client for the limits: an IPv4 address, or the /64 of an IPv6 address, because a subscriber is given a /64 at
 * least (RFC 6177 section 2) and may use each of its addresses.
 */
export function addressKey(address: string): string {
  if (!address.includes(':')) return address;
  const groups = expand(address.replace(/%.*$/, ''));
  const front = groups.slice(0, 6).join(':');
  if (front === NAT64 || front === MAPPED) return dotted(groups[6] ?? '', groups[7] ?? '');
  return `${groups.slice(0, 4).join(':')}::/64`;
}

// Private

/** Eight groups of four digits, in lower case. */
function expand(address: string): string[] {
  const [head = '', tail] = toHex(address.toLowerCase()).split('::');
  const front = head === '' ? [] : head.split(':');
  const back = tail === undefined || tail === '' ? [] : tail.split(':');
  const missing = Array.from({ length: Math.max(0, 8 - front.length - back.length) }, () => '0');
  return [...front, ...missing, ...back].map((group) => group.padStart(4, '0'));
}

/** `::ffff:192.0.2.1` as `::ffff:c000:201`. */
function toHex(address: string): string {
  const [, front = '', ...bytes] = /^(.*:)(\d+)\.(\d+)\.(\d+)\.(\d+)$/.exec(address) ?? [];
  if (bytes.length === 0) return address;
  const [a = 0, b = 0, c = 0, d = 0] = bytes.map(Number);
  return `${front}${(a * 256 + b).toString(16)}:${(c * 256 + d).toString(16)}`;
}

function dotted(high: string, low: string): string {
  const [upper, lower] = [Number.parseInt(high, 16), Number.parseInt(low, 16)];
  return [upper >> 8, upper & 255, lower >> 8, lower & 255].join('.');
}

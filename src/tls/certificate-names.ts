import type { X509Certificate } from 'node:crypto';
import { isIPv4, isIPv6, SocketAddress } from 'node:net';

/** A host name in its ASCII form, perhaps with a wildcard for its first label (RFC 9525 section 6.3). */
const dnsName =
  /^(?:\*\.)?(?:[a-z0-9_](?:[a-z0-9_-]{0,61}[a-z0-9_])?\.)*[a-z0-9_](?:[a-z0-9_-]{0,61}[a-z0-9_])?$/;

/** `DNS:a.example, IP Address:192.0.2.1`; values with anything strange are in quotes (Node doc, subjectAltName). */
const entry = /(?:^|, )([A-Za-z ]+):("(?:[^"\\]|\\.)*"|[^,]*)/g;

/** The host names and IP addresses that a certificate is for, lower case, in its order. Empty without subjectAltName. */
export function namesOfCertificate(certificate: X509Certificate): readonly string[] {
  const names = new Set<string>();
  for (const [, kind, value = ''] of (certificate.subjectAltName ?? '').matchAll(entry)) {
    const name = kind === 'DNS' ? toDnsName(value) : kind === 'IP Address' ? toAddress(value) : undefined;
    if (name !== undefined) names.add(name);
  }
  return [...names];
}

// Private

function toDnsName(value: string): string | undefined {
  const name = value.toLowerCase();
  return dnsName.test(name) ? name : undefined;
}

/** OpenSSL writes an IPv6 address with all its zeros. */
function toAddress(value: string): string | undefined {
  if (isIPv4(value)) return value;
  return isIPv6(value) ? new SocketAddress({ address: value, family: 'ipv6' }).address : undefined;
}

import { BlockList, isIP, isIPv6 } from 'node:net';
import type { Scheme } from '../contracts/scheme.js';
import type { ClientRequest } from './client-message.js';
import type { ClientFacts } from './exchange.js';
import type { ProxiedClient } from './listen/connections.js';

/** The peers of the setting `trustedProxies`: what they say about the client is believed. */
export class TrustedProxies {
  readonly #blocks = new BlockList();
  readonly #isEmpty: boolean;

  /** Addresses or CIDR blocks; the setting's format has checked them. */
  constructor(blocks: readonly string[]) {
    this.#isEmpty = blocks.length === 0;
    for (const block of blocks) {
      const [address = '', prefix] = block.split('/');
      const family = isIPv6(address) ? 'ipv6' : 'ipv4';
      if (prefix === undefined) this.#blocks.addAddress(address, family);
      else this.#blocks.addSubnet(address, Number(prefix), family);
    }
  }

  has(peer: string): boolean {
    if (this.#isEmpty) return false;
    const address = plainAddress(peer);
    const version = isIP(address);
    return version !== 0 && this.#blocks.check(address, version === 6 ? 'ipv6' : 'ipv4');
  }
}

/**
 * Who the client is: the peer, or whom its PROXY header names; or, behind a trusted proxy, what that proxy says (X-Forwarded-For,
 * -Proto and -Host).
 */
export function readClientFacts(
  request: ClientRequest,
  scheme: Scheme,
  trusted: TrustedProxies,
  proxied?: ProxiedClient | 'unknown',
): ClientFacts {
  const { socket, headers } = request;
  const peer = { address: socket.remoteAddress ?? '', port: socket.remotePort ?? 0 };
  const { address: given, port } = typeof proxied === 'object' ? proxied : peer;
  const address = plainAddress(given);
  const host = headers.host ?? '';
  // What a proxy passes on unseen comes from a client that it has not named.
  if (proxied === 'unknown' || !trusted.has(address))
    return { address, port, scheme, host, isPeerTrusted: false };
  const named = findClientAddress(headers['x-forwarded-for'], trusted);
  const forwardedScheme = lastOf(headers['x-forwarded-proto']);
  return {
    address: named ?? address,
    port: named === undefined ? port : 0,
    scheme: forwardedScheme === 'https' || forwardedScheme === 'http' ? forwardedScheme : scheme,
    host: lastOf(headers['x-forwarded-host']) || host,
    isPeerTrusted: true,
  };
}

// Private

/** `::ffff:192.0.2.1`, an IPv4 peer on a socket for both (RFC 4291 section 2.5.5.2), is shown as 192.0.2.1. */
function plainAddress(address: string): string {
  return address.startsWith('::ffff:') && address.includes('.') ? address.slice(7) : address;
}

/**
 * From the right: the last address that is not a trusted proxy itself; what stands left of it may be forged. So may what
 * stands left of a word that is no address, such as `unknown`: then the client is the proxy that wrote this word.
 */
function findClientAddress(
  header: string | string[] | undefined,
  trusted: TrustedProxies,
): string | undefined {
  if (header === undefined) return undefined;
  let nearest: string | undefined;
  for (const part of String(header).split(',').reverse()) {
    const address = addressOf(part.trim());
    if (isIP(address) === 0) return nearest;
    nearest = address;
    if (!trusted.has(address)) return address;
  }
  return nearest;
}

/** Some proxies add the port: `192.0.2.1:4711`, `[2001:db8::1]:4711`. */
function addressOf(part: string): string {
  const match = /^(?:\[([^\]]+)\]|([\d.]+))(?::\d+)?$/.exec(part);
  return plainAddress(match?.[1] ?? match?.[2] ?? part);
}

function lastOf(header: string | string[] | undefined): string | undefined {
  return header === undefined ? undefined : String(header).split(',').at(-1)?.trim();
}

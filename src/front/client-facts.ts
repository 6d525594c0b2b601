import { BlockList, isIP, isIPv6 } from 'node:net';
import type { Scheme } from '../contracts/scheme.js';
import type { Settings } from '../settings/settings.js';
import { type ClientRequest, peerAddressOf, plainAddress } from './client-message.js';
import type { ClientFacts } from './exchange.js';
import type { ProxiedClient } from './listen/connections.js';
import { isAuthority } from './request-target.js';

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

  has(address: string): boolean {
    if (this.#isEmpty) return false;
    const version = isIP(address);
    return version !== 0 && this.#blocks.check(address, version === 6 ? 'ipv6' : 'ipv4');
  }
}

const privateNetworks = new TrustedProxies([
  ...['127.0.0.0/8', '10.0.0.0/8', '172.16.0.0/12', '192.168.0.0/16', '169.254.0.0/16', '100.64.0.0/10'],
  ...['::1', 'fc00::/7', 'fe80::/10'],
]);

/** The peers of a listening socket that only this machine reaches. */
const loopback = ['127.0.0.0/8', '::1'];

/** Whether an address is none of the internet: of this machine, its network or its provider's (RFC 6890). */
export function isPrivate(address: string): boolean {
  return privateNetworks.has(plainAddress(address));
}

/** What `trustedProxies` and `proxyHeaders` say: whose word counts, and about what. */
export class ProxyTrust {
  readonly #proxies: TrustedProxies;
  /** Nobody has named the proxies: whoever asks from this machine is one if he says for whom. */
  readonly #isByDefault: boolean;
  /** In lower case. */
  readonly #headers: ReadonlySet<string>;

  /** `isLocalOnly`: everything that is listened on is reached from this machine only. */
  constructor(
    { trustedProxies, proxyHeaders }: Pick<Settings, 'trustedProxies' | 'proxyHeaders'>,
    isLocalOnly = false,
  ) {
    this.#isByDefault = trustedProxies === 'auto';
    this.#proxies = new TrustedProxies(
      trustedProxies === 'auto' ? (isLocalOnly ? loopback : []) : trustedProxies,
    );
    this.#headers = new Set(proxyHeaders.map((name) => name.toLowerCase()));
  }

  isTrusted(address: string): boolean {
    return this.#proxies.has(plainAddress(address));
  }

  /** Whether an address is that of a proxy whatever it sends: everybody may stand behind it. */
  isProxy(address: string): boolean {
    return !this.#isByDefault && this.isTrusted(address);
  }

  /**
   * Who the client is: the peer, or whom its PROXY header names; or, behind a trusted proxy, what that proxy is known to say
   * (X-Forwarded-For and -Proto, and -Host where `proxyHeaders` has it).
   */
  read(request: ClientRequest, scheme: Scheme, proxied?: ProxiedClient | 'unknown'): ClientFacts {
    const { socket, headers } = request;
    const { address, port } = typeof proxied === 'object' ? proxied : peerAddressOf(socket);
    const host = headers.host ?? '';
    const said = (name: string): string[] => (this.#headers.has(name) ? listOf(headers[name]) : []);
    const [forwardedFor, forwardedProto] = [said('x-forwarded-for'), said('x-forwarded-proto')];
    const speaks = forwardedFor.length > 0 || forwardedProto.length > 0;
    // What a proxy passes on unseen comes from a client that it has not named.
    if (proxied === 'unknown' || !this.isTrusted(address) || (this.#isByDefault && !speaks)) {
      const isProxy = this.isProxy(address);
      return { address, port, scheme, host, isPeerTrusted: false, isProxy, believedHeaders: none };
    }
    const { address: named, hops } = findClient(forwardedFor, this.#proxies);
    const forwardedHost = atHop(said('x-forwarded-host'), hops);
    return {
      address: named ?? address,
      port: named === undefined ? port : 0,
      scheme: schemes[atHop(forwardedProto, hops)?.toLowerCase() ?? ''] ?? scheme,
      host: forwardedHost !== undefined && isAuthority(forwardedHost) ? forwardedHost : host,
      isPeerTrusted: true,
      isProxy: this.isProxy(named ?? address),
      believedHeaders: this.#headers,
    };
  }
}

// Private

const none: ReadonlySet<string> = new Set();

/** Some proxies name the scheme of a WebSocket. */
const schemes: Readonly<Record<string, Scheme>> = { http: 'http', https: 'https', ws: 'http', wss: 'https' };

/**
 * From the right: the last address that is not a trusted proxy itself; what stands left of it may be forged. So may what
 * stands left of a word that is no address, such as `unknown`: then the client is the proxy that wrote this word.
 *
 * `hops`: how many proxies stand between the one that wrote this address and us.
 */
function findClient(
  list: readonly string[],
  trusted: TrustedProxies,
): { readonly address: string | undefined; readonly hops: number } {
  let nearest: string | undefined;
  for (let hops = 0; hops < list.length; hops += 1) {
    const address = addressOf(list.at(-1 - hops) as string);
    if (isIP(address) === 0) return { address: nearest, hops: Math.max(0, hops - 1) };
    nearest = address;
    if (!trusted.has(address)) return { address, hops };
  }
  return { address: nearest, hops: Math.max(0, list.length - 1) };
}

/**
 * What the same proxy said that named the client: each that appends to one list appends to the others, so that what stands left of
 * it may be forged here as well. A list that is shorter was begun by a later proxy, whose first word counts.
 */
function atHop(list: readonly string[], hops: number): string | undefined {
  return list.at(Math.max(-list.length, -1 - hops));
}

/** Some proxies add the port: `192.0.2.1:4711`, `[2001:db8::1]:4711`. */
function addressOf(part: string): string {
  const match = /^(?:\[([^\]]+)\]|([\d.]+))(?::\d+)?$/.exec(part);
  return plainAddress(match?.[1] ?? match?.[2] ?? part);
}

function listOf(header: string | string[] | undefined): string[] {
  return header === undefined
    ? []
    : String(header)
        .split(',')
        .map((part) => part.trim());
}

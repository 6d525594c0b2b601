import { isIP, isIPv6 } from 'node:net';
import { defaultPorts } from '../contracts/scheme.js';
import type { HttpChallenge, TlsMaterial } from '../contracts/tls-material.js';
import type { Settings } from '../settings/settings.js';
import { isPrivate } from './client-facts.js';
import { peerAddressOf, plainAddress } from './client-message.js';
import type { Exchange, Handler } from './exchange.js';
import { refusalText } from './listen/refuse-request.js';
import { ByServerName } from './listen/tls/by-server-name.js';

const CHALLENGE_PREFIX = '/.well-known/acme-challenge/';

export interface HostPolicy {
  /** Undefined: HTTPS is off. */
  readonly tls: Pick<TlsMaterial, 'securedNames' | 'hstsMaxAgeSeconds' | 'publicPort'> | undefined;
  readonly settings: Pick<Settings, 'domains' | 'canonicalHost' | 'redirectToHttps' | 'refuseUnknownHosts'>;
  /** As in ALLOWED_HOSTS: a dot in front stands for all names below too, `*` for any name. */
  readonly names: readonly string[];
}

/**
 * Sends visitors to HTTPS and to the one name of the site, and tells browsers to stay with HTTPS. No handler where neither is
 * wanted.
 *
 * Only names that the site knows are redirected, because another Host header must not make us point somewhere else. Where it is
 * known which names there are, any other is refused. A name whose certificate is still a stand-in is served as
 * it comes.
 */
export function applyHostPolicy({ tls, settings, names }: HostPolicy): Handler[] {
  const { domains, redirectToHttps, refuseUnknownHosts } = settings;
  const canonical = settings.canonicalHost?.toLowerCase();
  const ownNames = [...(tls?.securedNames ?? []), ...domains];
  const isNamed = ownNames.length > 0 || names.length > 0;
  const refusesUnknown = refuseUnknownHosts && isNamed && !names.includes('*');
  if (ownNames.length === 0 && canonical === undefined && !refusesUnknown) return [];
  const secured = new KnownNames(tls?.securedNames ?? []);
  const known = new KnownNames([...ownNames, ...(canonical === undefined ? [] : [canonical]), ...names]);
  const isStrict = tls !== undefined && ownNames.length > 0 && redirectToHttps;
  // If nothing says which names the site has, every public one counts as its own; load balancers probe by others.
  const isOpen = ownNames.length === 0 && (names.length === 0 || names.includes('*'));
  const handle: Handler = (exchange) => {
    const { name, port } = readHost(exchange.client.host);
    if (!known.has(name) && !(isOpen && isPublicName(name))) {
      if (isStrict) return refuseUnknown(exchange, 421);
      return refusesUnknown && !isLetThrough(exchange, name, known) && refuseUnknown(exchange, 400);
    }
    if (ownNames.length === 0 && canonical === undefined) return false;
    const isSecure = exchange.client.scheme === 'https';
    // Never over plain HTTP (RFC 6797 section 7.2).
    if (isSecure && tls?.hstsMaxAgeSeconds !== undefined && secured.has(name)) {
      exchange.addHeader('Strict-Transport-Security', `max-age=${tls.hstsMaxAgeSeconds}`);
    }
    const target = canonical ?? name;
    if (tls !== undefined && !isSecure && redirectToHttps && secured.has(target)) {
      redirect(exchange, `https://${bracketed(target)}${securePort(exchange, port, tls.publicPort)}`);
      return true;
    }
    // Better to serve under another name than to send the visitor to a browser's warning.
    const isWarnedOf = isSecure && tls !== undefined && !secured.has(target);
    if (name === target || isWarnedOf) return false;
    redirect(exchange, `${exchange.client.scheme}://${bracketed(target)}${port}`);
    return true;
  };
  return [handle];
}

/**
 * Answers a certificate authority that asks over plain HTTP whether the name is ours (RFC 8555 section 8.3). It also answers over
 * HTTPS, because a proxy before us may redirect the authority there. Stands before every redirect; other tokens are left to the
 * handlers behind, because another ACME client may use the same place.
 */
export function answerChallenge(challenges: readonly HttpChallenge[]): Handler {
  const answers = new Map(
    challenges.map(({ token, keyAuthorization }) => [CHALLENGE_PREFIX + token, keyAuthorization]),
  );
  return (exchange) => {
    const answer = answers.get(exchange.path);
    if (answer === undefined) return false;
    exchange.respond(200, ['Content-Type', 'application/octet-stream', 'Cache-Control', 'no-store'], answer);
    return true;
  };
}

// Private

/** Host names and addresses, some for all names below them too. */
class KnownNames {
  readonly #names: ByServerName<true>;
  readonly #above: readonly string[];

  constructor(names: readonly string[]) {
    const plain = names.filter((name) => name !== '*').map((name) => unbracketed(name.toLowerCase()));
    this.#above = plain.filter((name) => name.startsWith('.'));
    this.#names = new ByServerName([{ names: plain.map((name) => name.replace(/^\./, '')), value: true }]);
  }

  has(name: string): boolean {
    return this.#names.find(name) !== undefined || this.#above.some((end) => name.endsWith(end));
  }
}

const HOST = /^(\[[^\]]*\]|[^:]*)(:\d+)?$/;

/** The name in lower case, without the brackets of an IPv6 address; the port with its colon, or ''. */
function readHost(host: string): { readonly name: string; readonly port: string } {
  const [, name = '', port = ''] = HOST.exec(host) ?? [];
  return { name: unbracketed(name.toLowerCase()), port };
}

function unbracketed(name: string): string {
  return name.startsWith('[') ? name.slice(1, -1) : name;
}

function bracketed(name: string): string {
  return isIPv6(name) ? `[${name}]` : name;
}

/** Neither an address nor localhost: load balancers and people on the machine ask by these. */
function isPublicName(name: string): boolean {
  return name !== '' && name !== 'localhost' && isIP(name) === 0;
}

/** Behind a proxy that is believed about the host, applications may look at the Host header all the same. */
function isLetThrough(exchange: Exchange, name: string, known: KnownNames): boolean {
  return isByAddress(exchange, name) || known.has(readHost(exchange.request.headers.host ?? '').name);
}

/**
 * Load balancers and people on the machine ask by an address, or by no name. So does who searches the internet for servers: only to
 * an address of a private network, or the one of this very connection, is it let through, to what the application says of it.
 */
function isByAddress({ request: { socket } }: Exchange, name: string): boolean {
  const isNear = isPrivate(peerAddressOf(socket).address);
  if (isIP(name) !== 0)
    return name === plainAddress(socket.localAddress ?? '') || (isNear && isPrivate(name));
  return isNear && (name === '' || name === 'localhost');
}

/**
 * A Host without a port means that the client came through port 80. Where we listen on another one, that port is forwarded to us,
 * and so is 443.
 */
function securePort({ request }: Exchange, port: string, publicPort: number): string {
  const isForwarded = port === '' && request.socket.localPort !== defaultPorts.http;
  return isForwarded || publicPort === defaultPorts.https ? '' : `:${publicPort}`;
}

/** 308 keeps the method and the body (RFC 9110 section 15.4.9). */
function redirect(exchange: Exchange, origin: string): void {
  const query = exchange.query === '' ? '' : `?${exchange.query}`;
  const headers = ['Location', `${origin}${exchange.path}${query}`];
  exchange.respond(308, headers, undefined, { drainsRequest: true });
}

/**
 * 421 where another server may have that name's certificate (RFC 9110 section 15.5.20); 400 as Django says of ALLOWED_HOSTS. In plain
 * text, because this is no visitor of the site.
 */
function refuseUnknown(exchange: Exchange, status: 400 | 421): boolean {
  const headers = ['Content-Type', 'text/plain; charset=utf-8', 'Cache-Control', 'no-store'];
  const text = refusalText({ status, sentence: 'There is no such site here.' });
  exchange.respond(status, headers, text, { drainsRequest: true });
  return true;
}

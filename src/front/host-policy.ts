import type { Settings } from '../settings/settings.js';
import type { TlsMaterial } from '../tls-material.js';
import { respondWithErrorPage } from './error-page.js';
import type { Exchange, Handler } from './exchange.js';
import { ByServerName } from './tls/by-server-name.js';

export interface HostPolicy {
  /** Undefined: HTTPS is off. */
  readonly tls: Pick<TlsMaterial, 'securedNames' | 'hstsMaxAgeSeconds' | 'publicPort'> | undefined;
  readonly settings: Pick<Settings, 'domains' | 'canonicalHost' | 'redirectToHttps'>;
  /** As in ALLOWED_HOSTS: a dot in front stands for all names below too. */
  readonly names: readonly string[];
}

const HOST = /^(\[[^\]]*\]|[^:]*)(?::\d*)?$/;

/**
 * Sends visitors to HTTPS and to the one name of the site, and tells browsers to stay with HTTPS. Used by pipeline; none
 * where neither is wanted.
 *
 * Only names that the site knows are redirected, for whoever sends another Host header must not make us point somewhere
 * else. Where HTTPS has certificates, any other name gets 421 (RFC 9110 section 15.5.20). A name whose certificate is
 * still a stand-in is served as it comes.
 */
export function applyHostPolicy({ tls, settings, names }: HostPolicy): Handler[] {
  const { domains, redirectToHttps } = settings;
  const canonical = settings.canonicalHost?.toLowerCase();
  const secured = nameSet(tls?.securedNames ?? []);
  const ownNames = [...(tls?.securedNames ?? []), ...domains];
  if (ownNames.length === 0 && canonical === undefined) return [];
  const known = nameSet([...ownNames, ...(canonical === undefined ? [] : [canonical]), ...namesBelow(names)]);
  const isStrict = tls !== undefined && ownNames.length > 0 && redirectToHttps;
  const handle: Handler = (exchange) => {
    const name = hostName(exchange.client.host);
    if (known.find(name) === undefined) return isStrict && refuseUnknown(exchange);
    const isSecure = exchange.client.scheme === 'https';
    const target = canonical ?? name;
    const isSent = !isSecure && redirectToHttps && secured.find(target) !== undefined;
    if (isSent || name !== target) {
      const port = tls?.publicPort ?? 443;
      redirect(
        exchange,
        isSent || isSecure ? secureOrigin(target, port) : `http://${target}${portOf(exchange)}`,
      );
      return true;
    }
    // Never over plain HTTP (RFC 6797 section 7.2).
    if (isSecure && tls?.hstsMaxAgeSeconds !== undefined && secured.find(name) !== undefined) {
      exchange.addHeader('Strict-Transport-Security', `max-age=${tls.hstsMaxAgeSeconds}`);
    }
    return false;
  };
  return [handle];
}

// Private

function nameSet(names: readonly string[]): ByServerName<true> {
  return new ByServerName([{ names: names.map((name) => name.toLowerCase()), value: true }]);
}

/** `*` alone means any name, which says nothing. */
function namesBelow(names: readonly string[]): string[] {
  return names
    .filter((name) => name !== '*')
    .flatMap((name) => (name.startsWith('.') ? [name.slice(1), `*${name}`] : [name]));
}

function hostName(host: string): string {
  return (HOST.exec(host)?.[1] ?? '').toLowerCase();
}

function portOf({ client }: Exchange): string {
  return /:\d+$/.exec(client.host)?.[0] ?? '';
}

function secureOrigin(name: string, port: number): string {
  return port === 443 ? `https://${name}` : `https://${name}:${port}`;
}

/** 308 keeps the method and the body (RFC 9110 section 15.4.9). */
function redirect(exchange: Exchange, origin: string): void {
  const query = exchange.query === '' ? '' : `?${exchange.query}`;
  exchange.drainsRequest = true;
  exchange.respond(308, ['Location', `${origin}${exchange.path}${query}`]);
}

function refuseUnknown(exchange: Exchange): boolean {
  exchange.drainsRequest = true;
  respondWithErrorPage(exchange, 421, 'There is no such site here.');
  return true;
}

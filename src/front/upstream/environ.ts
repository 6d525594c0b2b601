import { defaultPorts } from '../../contracts/scheme.js';
import type { ClientFacts, Exchange } from '../exchange.js';
import { readConnectionOptions } from '../hop-by-hop.js';
import { knownBytes, type RequestBody } from './request-body.js';
import { collectHeaders, isPassedOn } from './request-headers.js';

interface EnvironName {
  /** '': never passed on. */
  readonly name: string;
  /** The last request that had it: finds a header that is sent twice without a set per request. */
  seenIn: number;
}

const HOST = /^(\[[^\]]*\]|[^:]*)(?::(\d*))?$/;
const MAX_KNOWN_NAMES = 1000;

/** Makes the environ that a gateway gets with each request, and remembers what header names become in it. */
export class EnvironEncoder {
  /** URL prefix that the application is mounted under; '' for the root. */
  readonly #scriptName: string;
  readonly #knownNames = new Map<string, EnvironName>();
  readonly #byEnvironName = new Map<string, EnvironName>();
  #requestNumber = 0;

  constructor(scriptName: string) {
    this.#scriptName = Buffer.from(scriptName, 'utf8').toString('latin1');
  }

  /**
   * Makes the head of a request frame: environ names and values in turn, joined by NUL (PEP 3333, "environ Variables").
   *
   * Returns undefined for a path that decodes to a NUL, which no environ can carry, and for a second Host header (RFC 9112
   * section 3.2).
   */
  encode(exchange: Exchange, body: RequestBody): string | undefined {
    const path = decodeToLatin1(exchange.path);
    if (path.includes('\0')) return undefined;
    const { request, client } = exchange;
    const scriptName = this.#scriptName;
    const isBelow = scriptName !== '' && isBelowMount(path, scriptName);
    const { serverName, serverPort } = splitHost(client);
    let head = `REQUEST_METHOD\0${exchange.method}\0SCRIPT_NAME\0${isBelow ? scriptName : ''}\0PATH_INFO\0${
      isBelow ? path.slice(scriptName.length) : path
    }\0QUERY_STRING\0${exchange.query}\0REQUEST_URI\0${request.url}\0SERVER_PROTOCOL\0HTTP/${
      request.httpVersion
    }\0SERVER_NAME\0${serverName}\0SERVER_PORT\0${serverPort}\0REMOTE_ADDR\0${client.address}\0REMOTE_PORT\0${client.port}\0wsgi.url_scheme\0${
      client.scheme
    }\0HTTP_X_REQUEST_ID\0${exchange.id}\0HTTP_X_FORWARDED_FOR\0${client.address}\0HTTP_X_FORWARDED_PROTO\0${
      client.scheme
    }`;
    if (client.host !== '') head += `\0HTTP_X_FORWARDED_HOST\0${client.host}`;
    const contentLength = knownBytes(body, request);
    if (contentLength !== undefined) head += `\0CONTENT_LENGTH\0${contentLength}`;
    const headers = this.#encodeHeaders(exchange);
    return headers === undefined ? undefined : head + headers;
  }

  // Private

  #encodeHeaders({ request, client }: Exchange): string | undefined {
    this.#requestNumber += 1;
    if (this.#knownNames.size >= MAX_KNOWN_NAMES) {
      // Names come from clients: what is remembered of them stays bounded.
      this.#knownNames.clear();
      this.#byEnvironName.clear();
    }
    const { rawHeaders } = request;
    // Most have no such header, and this is done for every request.
    const ending = request.headers.connection ? readConnectionOptions(rawHeaders) : undefined;
    if (ending !== undefined || request.headers['if-match'] !== undefined) {
      return encodeSlowly(request, client, ending);
    }
    let text = '';
    for (let at = 0; at < rawHeaders.length; at += 2) {
      const known = this.#nameOf(rawHeaders[at] as string, client);
      if (known.name === '') continue;
      if (known.seenIn === this.#requestNumber) return encodeSlowly(request, client);
      known.seenIn = this.#requestNumber;
      text += `\0${known.name}\0${rawHeaders[at + 1]}`;
    }
    return text;
  }

  #nameOf(rawName: string, client: ClientFacts): EnvironName {
    // No header's name has a colon.
    const key = client.isPeerTrusted ? rawName : `:${rawName}`;
    const known = this.#knownNames.get(key);
    if (known !== undefined) return known;
    const lower = rawName.toLowerCase();
    const name = isPassedOn(lower, client) ? toEnvironName(lower) : '';
    const shared = this.#byEnvironName.get(name) ?? { name, seenIn: 0 };
    this.#byEnvironName.set(name, shared);
    this.#knownNames.set(key, shared);
    return shared;
  }
}

/**
 * Percent-decodes a path into the "bytes as latin-1" form of PEP 3333 (section "Unicode Issues"). A malformed escape stays
 * as it is, as Python's urllib.parse.unquote_to_bytes leaves it.
 */
export function decodeToLatin1(path: string): string {
  if (!path.includes('%')) return path;
  return path.replace(/%([0-9a-fA-F]{2})/g, (_, digits: string) =>
    String.fromCharCode(Number.parseInt(digits, 16)),
  );
}

/** Whether a decoded path belongs to an application that is mounted under `scriptName`; '' is the root. */
export function isBelowMount(path: string, scriptName: string): boolean {
  return scriptName === '' || path === scriptName || path.startsWith(`${scriptName}/`);
}

/** SERVER_NAME and SERVER_PORT may not be empty (PEP 3333); what is no port is left to the application to refuse. */
export function splitHost({ host, scheme }: Pick<ClientFacts, 'host' | 'scheme'>): {
  serverName: string;
  serverPort: string;
} {
  const match = HOST.exec(host);
  return { serverName: match?.[1] || 'localhost', serverPort: match?.[2] || String(defaultPorts[scheme]) };
}

/** `name` in lower case. */
export function toEnvironName(name: string): string {
  return name === 'content-type' ? 'CONTENT_TYPE' : `HTTP_${name.toUpperCase().replaceAll('-', '_')}`;
}

// Private

/** For a request with a header twice, whose values are joined (RFC 9110 section 5.3), or with one that is rewritten or ends here. */
function encodeSlowly(
  request: Exchange['request'],
  client: ClientFacts,
  ending?: ReadonlySet<string>,
): string | undefined {
  const headers = collectHeaders(request, client, ending);
  if (headers === undefined) return undefined;
  let text = '';
  for (const [name, value] of Object.entries(headers)) {
    text += `\0${toEnvironName(name)}\0${Array.isArray(value) ? value.join(',') : value}`;
  }
  return text;
}

import { defaultPorts } from '../../contracts/scheme.js';
import type { ClientFacts, Exchange } from '../exchange.js';
import { isPassedOn } from './passed-headers.js';
import { decodeToLatin1 } from './percent.js';

/** What the environ needs to know beyond the request itself. */
export interface EnvironOptions {
  /** URL prefix that the application is mounted under; '' for the root. */
  readonly scriptName: string;
  /** Of the body as the application will read it; undefined where none was announced or it is streamed unmeasured. */
  readonly contentLength: number | undefined;
}

interface EnvironName {
  /** '' : never passed on. */
  readonly name: string;
  /** The last request that had it: finds a header that is sent twice without a set per request. */
  seenIn: number;
}

const HOST = /^(\[[^\]]*\]|[^:]*)(?::(\d*))?$/;
const MAX_KNOWN_NAMES = 1000;
const knownNames = new Map<string, EnvironName>();
const byEnvironName = new Map<string, EnvironName>();
let requestNumber = 0;

/**
 * Makes the head of a request frame: environ names and values in turn, joined by NUL (PEP 3333, "environ Variables").
 *
 * Returns undefined for a path that decodes to a NUL, which no environ can carry, and for a second Host header (RFC 9112
 * section 3.2).
 */
export function encodeEnviron(exchange: Exchange, options: EnvironOptions): string | undefined {
  const path = decodeToLatin1(exchange.path);
  if (path.includes('\0')) return undefined;
  const { request, client } = exchange;
  const { scriptName } = options;
  const isBelow = scriptName !== '' && (path === scriptName || path.startsWith(`${scriptName}/`));
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
  if (options.contentLength !== undefined) head += `\0CONTENT_LENGTH\0${options.contentLength}`;
  const headers = encodeHeaders(request.rawHeaders, client.isPeerTrusted);
  return headers === undefined ? undefined : head + headers;
}

// Private

/** SERVER_NAME and SERVER_PORT may not be empty (PEP 3333); what is no port is left to the application to refuse. */
function splitHost({ host, scheme }: ClientFacts): { serverName: string; serverPort: string } {
  const match = HOST.exec(host);
  return { serverName: match?.[1] || 'localhost', serverPort: match?.[2] || String(defaultPorts[scheme]) };
}

function encodeHeaders(raw: readonly string[], isPeerTrusted: boolean): string | undefined {
  requestNumber += 1;
  if (knownNames.size >= MAX_KNOWN_NAMES) {
    // Names come from clients: what is remembered of them stays bounded.
    knownNames.clear();
    byEnvironName.clear();
  }
  let text = '';
  for (let at = 0; at < raw.length; at += 2) {
    const known = environNameOf(raw[at] as string, isPeerTrusted);
    if (known.name === '') continue;
    if (known.seenIn === requestNumber) return encodeRepeatedHeaders(raw, isPeerTrusted);
    known.seenIn = requestNumber;
    text += `\0${known.name}\0${raw[at + 1]}`;
  }
  return text;
}

/** The slow way, for a request with a header twice: values are joined as RFC 9110 section 5.3 and RFC 6265 say. */
function encodeRepeatedHeaders(raw: readonly string[], isPeerTrusted: boolean): string | undefined {
  const values = new Map<string, string>();
  for (let at = 0; at < raw.length; at += 2) {
    const { name } = environNameOf(raw[at] as string, isPeerTrusted);
    if (name === '') continue;
    const value = raw[at + 1] as string;
    const before = values.get(name);
    if (before === undefined) values.set(name, value);
    else if (name === 'HTTP_HOST') return undefined;
    else if (name !== 'CONTENT_TYPE') {
      values.set(name, `${before}${name === 'HTTP_COOKIE' ? '; ' : ','}${value}`);
    }
  }
  let text = '';
  for (const [name, value] of values) text += `\0${name}\0${value}`;
  return text;
}

function environNameOf(rawName: string, isPeerTrusted: boolean): EnvironName {
  // No header's name has a colon.
  const key = isPeerTrusted ? rawName : `:${rawName}`;
  const known = knownNames.get(key);
  if (known !== undefined) return known;
  const name = makeEnvironName(rawName.toLowerCase(), isPeerTrusted);
  const shared = byEnvironName.get(name) ?? { name, seenIn: 0 };
  byEnvironName.set(name, shared);
  knownNames.set(key, shared);
  return shared;
}

function makeEnvironName(name: string, isPeerTrusted: boolean): string {
  if (!isPassedOn(name, isPeerTrusted)) return '';
  if (name === 'content-type') return 'CONTENT_TYPE';
  return `HTTP_${name.toUpperCase().replaceAll('-', '_')}`;
}

import type { Settings } from '../../settings/settings.js';
import type { Exchange, HeaderList } from '../exchange.js';
import { isCompressibleType } from '../files/content-type.js';
import { chooseEncoding } from './accept-encoding.js';
import type { DynamicEncoding } from './compressor.js';

export interface ChosenCompression {
  /** `identity`: the body stays as it is, but the headers say that it might not have. */
  readonly encoding: DynamicEncoding | 'identity';
  readonly headers: HeaderList;
}

/** Best first, for clients that like them equally. Node 20 can't make zstd. */
const offered = ['br', 'gzip'] as const satisfies readonly DynamicEncoding[];

/** Informational answers and those that have no body or a part of one. */
const untouchedStatus = new Set([204, 205, 206, 304]);

/**
 * Whether and how the application's response is compressed; undefined: it is passed on untouched.
 *
 * A HEAD gets the headers that the GET would get. Below `compressMinBytes` the headers stay as they are too,
 * because such a body is the same for every Accept-Encoding.
 *
 * @param bodyBytes what GET sends; undefined where that isn't known beforehand, or only from Content-Length
 */
export function chooseCompression(
  exchange: Exchange,
  status: number,
  headers: HeaderList,
  bodyBytes: number | undefined,
  settings: Pick<Settings, 'compress' | 'compressMinBytes'>,
): ChosenCompression | undefined {
  if (settings.compress && status === 304) return asOf200(exchange, headers);
  if (!settings.compress || status < 200 || untouchedStatus.has(status)) return undefined;
  const facts = readHeaders(headers);
  if (!facts.isOpen || !isCompressibleType(facts.type)) return undefined;
  const length = bodyBytes ?? facts.length;
  if (length !== undefined && length < settings.compressMinBytes) return undefined;
  const encoding = chooseEncoding(exchange.request.headers['accept-encoding'], offered);
  return { encoding, headers: rewriteHeaders(headers, encoding, varyingByEncoding(facts.vary)) };
}

// Private

interface HeaderFacts {
  type: string;
  length: number | undefined;
  vary: string | undefined;
  etag: string | undefined;
  /** Not encoded already, not a part, and not forbidden to be changed. */
  isOpen: boolean;
}

function readHeaders(headers: HeaderList): HeaderFacts {
  const facts: HeaderFacts = { type: '', length: undefined, vary: undefined, etag: undefined, isOpen: true };
  forEachHeader(headers, (name, value) => {
    if (name === 'content-type') facts.type = value;
    else if (name === 'etag') facts.etag = value;
    else if (name === 'content-length') facts.length = Number(value);
    else if (name === 'vary') facts.vary = facts.vary === undefined ? value : `${facts.vary}, ${value}`;
    else if (name === 'content-encoding' || name === 'content-range') facts.isOpen = false;
    else if (name === 'cache-control' && /\bno-transform\b/i.test(value)) facts.isOpen = false;
  });
  return facts;
}

function rewriteHeaders(headers: HeaderList, encoding: DynamicEncoding | 'identity', vary: string): string[] {
  const rewritten: string[] = [];
  forEachHeader(headers, (name, value, written) => {
    if (name === 'vary') return;
    if (encoding === 'identity') {
      rewritten.push(written, value);
    } else if (name === 'etag') {
      // RFC 9110 section 8.8.1: other bytes may not share a strong tag. The application goes on recognising
      // it in If-None-Match.
      rewritten.push(written, value.startsWith('W/') ? value : `W/${value}`);
    } else if (name !== 'content-length' && name !== 'accept-ranges') {
      rewritten.push(written, value);
    }
  });
  rewritten.push('Vary', vary);
  if (encoding !== 'identity') rewritten.push('Content-Encoding', encoding);
  return rewritten;
}

/**
 * The headers of a 304 as its 200 had them (RFC 9110 section 15.4.5): the ETag weak where the client has a compressed body, which
 * it says in If-None-Match. Without a Content-Type nothing tells whether the body may be compressed; Vary does no harm then.
 */
function asOf200({ request }: Exchange, headers: HeaderList): ChosenCompression | undefined {
  const { isOpen, type, vary, etag } = readHeaders(headers);
  if (!isOpen || (type !== '' && !isCompressibleType(type))) return undefined;
  const known = request.headers['if-none-match'] ?? '';
  const isCompressed = etag !== undefined && !etag.startsWith('W/') && known.includes(`W/${etag}`);
  const rewritten: string[] = [];
  forEachHeader(headers, (name, value, written) => {
    if (name === 'etag') rewritten.push(written, isCompressed ? `W/${value}` : value);
    else if (name !== 'vary') rewritten.push(written, value);
  });
  return { encoding: 'identity', headers: [...rewritten, 'Vary', varyingByEncoding(vary)] };
}

/** The value of a Vary header that also names Accept-Encoding (RFC 9110 section 12.5.5). */
function varyingByEncoding(current: string | undefined): string {
  if (current === undefined || current.trim() === '') return 'Accept-Encoding';
  const names = current.split(',').map((name) => name.trim().toLowerCase());
  return names.includes('*') || names.includes('accept-encoding') ? current : `${current}, Accept-Encoding`;
}

function forEachHeader(
  headers: HeaderList,
  visit: (lowerCaseName: string, value: string, name: string) => void,
): void {
  for (let i = 0; i + 1 < headers.length; i += 2) {
    const name = headers[i] ?? '';
    visit(name.toLowerCase(), headers[i + 1] ?? '', name);
  }
}

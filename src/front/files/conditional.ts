import type { IncomingHttpHeaders } from 'node:http';

/**
 * A strong validator (RFC 9110 section 8.8.1): two versions of a file that share size and time of change (microseconds) count
 * as the same, as with nginx. `encoding` tells the representations of one file apart, as RFC 9110 section 8.8.3.3 asks.
 */
export function entityTag(file: { size: number; mtimeMs: number }, encoding = ''): string {
  const version = `${Math.round(file.mtimeMs * 1000).toString(36)}-${file.size.toString(36)}`;
  return encoding === '' ? `"${version}"` : `"${version}-${encoding}"`;
}

/** HTTP dates have whole seconds, so times must be compared in whole seconds. */
export function wholeSecondsMs(mtimeMs: number): number {
  return Math.floor(mtimeMs / 1000) * 1000;
}

/** In the order of RFC 9110 section 13.2.2: tags before dates, and where there is a tag the date is ignored. */
export function evaluatePreconditions(
  headers: IncomingHttpHeaders,
  etag: string,
  modifiedMs: number,
  /** Of the same version of the file in other encodings. */
  otherTags: readonly string[] = [],
): 'proceed' | 'not-modified' | 'failed' {
  const ifMatch = headers['if-match'];
  const unmodifiedSince = headers['if-unmodified-since'];
  if (ifMatch !== undefined) {
    if (![etag, ...otherTags].some((tag) => isListed(ifMatch, tag, false))) return 'failed';
  } else if (unmodifiedSince !== undefined && modifiedMs > Date.parse(unmodifiedSince)) {
    return 'failed';
  }
  const ifNoneMatch = headers['if-none-match'];
  if (ifNoneMatch !== undefined) return isListed(ifNoneMatch, etag, true) ? 'not-modified' : 'proceed';
  const modifiedSince = headers['if-modified-since'];
  // A date that can't be parsed is NaN, and no comparison with NaN is true: so the header is ignored (section 13.1.3).
  return modifiedSince !== undefined && modifiedMs <= Date.parse(modifiedSince) ? 'not-modified' : 'proceed';
}

/** Whether a Range header may be honoured: there is no If-Range, or it names exactly this version (section 13.1.5). */
export function isRangeFresh(headers: IncomingHttpHeaders, etag: string, modifiedMs: number): boolean {
  const ifRange = headers['if-range'];
  if (ifRange === undefined) return true;
  const value = Array.isArray(ifRange) ? ifRange.join(', ') : ifRange;
  return value.includes('"') ? value === etag : Date.parse(value) === modifiedMs;
}

const tagPattern = /(?:W\/)?"[^"]*"/g;

function isListed(header: string, etag: string, isWeak: boolean): boolean {
  if (header === etag || header.trim() === '*') return true;
  const tags = header.match(tagPattern) ?? [];
  return tags.some((tag) => tag === etag || (isWeak && tag === `W/${etag}`));
}

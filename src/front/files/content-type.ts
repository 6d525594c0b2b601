import { extname } from 'node:path';
import { contentType } from 'mime-types';

export function contentTypeOf(fileName: string): string {
  // Apple fetches this name without an extension and insists on JSON (WhiteNoise's media_types has it too).
  if (fileName.endsWith('/apple-app-site-association')) return 'application/json';
  return contentType(extname(fileName)) || 'application/octet-stream';
}

/** A format that is another one in gzip, and that browsers show only where Content-Encoding says so. */
export function isStoredCompressed(fileName: string): boolean {
  return /\.svgz$/i.test(fileName);
}

const compressible = new RegExp(
  [
    '^(?:text/(?!event-stream)',
    '|application/(?:json|javascript|x-javascript|xml|wasm|rtf|x-ndjson|vnd\\.ms-fontobject)(?:;|$)',
    '|[^;]+\\+(?:json|xml|text)(?:;|$)',
    // WOFF and WOFF2 are compressed already, these are not.
    '|(?:font/(?:ttf|otf|sfnt|collection)|application/(?:x-)?font-(?:ttf|otf|sfnt))(?:;|$)',
    '|image/(?:bmp|x-icon|vnd\\.microsoft\\.icon)(?:;|$))',
  ].join(''),
  'i',
);

/** Whether compressing pays. Not for event streams: proxies on the way must pass on each event at once. */
export function isCompressibleType(type: string): boolean {
  return compressible.test(type.trim());
}

const inert =
  /^(?:image\/(?!.*\+xml)|audio\/|video\/|font\/|text\/(?:plain|csv|markdown)\b|application\/(?:pdf|json|zip|gzip|octet-stream)\b)/i;

/**
 * Whether a browser that opens such a file can't run script from it in the site's origin, given `nosniff`. A
 * list of what is harmless, so that a type nobody thought of counts as dangerous. PDF is on it because
 * browsers run it in a viewer of their own, which Chromium refuses to start under `Content-Security-Policy:
 * sandbox`.
 */
export function isInertType(type: string): boolean {
  return inert.test(type);
}

/** Hop by hop (RFC 9110 section 7.6.1), decoded already, or dangerous: `Proxy` becomes HTTP_PROXY (CVE-2016-5385). */
const dropped = new Set([
  'connection',
  'keep-alive',
  'proxy-connection',
  'transfer-encoding',
  'te',
  'trailer',
  'upgrade',
  'expect',
  'content-length',
  'proxy',
  'x-request-id',
]);
/** What applications believe about the client; only a trusted proxy may say it, and the front says it anew. */
const forwarded = new Set(['forwarded', 'x-real-ip', 'x-forwarded', 'x-scheme']);
const restated = new Set(['x-forwarded-for', 'x-forwarded-proto', 'x-forwarded-host']);

/**
 * Whether an application gets this header as the client sent it; `name` in lower case. Used for the environ of the gateway, and
 * for the request that an HTTP server gets.
 */
export function isPassedOn(name: string, isPeerTrusted: boolean): boolean {
  if (dropped.has(name) || restated.has(name)) return false;
  // `X_Forwarded_For` and `X.Forwarded.For` would become the same environ variable as the real header.
  if (name.includes('_') || name.includes('.')) return false;
  return isPeerTrusted || !(forwarded.has(name) || name.startsWith('x-forwarded-'));
}

/**
 * The headers, in lower case, that the sender of a message names in Connection, as they end here (RFC 9110 section 7.6.1).
 * Undefined where there is none. Never Host, without which the request would be for another site.
 *
 * Used for both directions; takes names and values in turn.
 */
export function readConnectionOptions(rawHeaders: readonly string[]): ReadonlySet<string> | undefined {
  let named: Set<string> | undefined;
  for (let at = 0; at < rawHeaders.length; at += 2) {
    if (rawHeaders[at]?.toLowerCase() !== 'connection') continue;
    for (const option of (rawHeaders[at + 1] as string).toLowerCase().split(',')) {
      const name = option.trim();
      if (name === 'keep-alive' || name === 'close' || name === 'host') continue;
      named ??= new Set();
      named.add(name);
    }
  }
  return named;
}

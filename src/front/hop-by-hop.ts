/**
 * Headers about one connection, which end where it ends (RFC 9110 section 7.6.1); names in lower case. An application may
 * not send them (PEP 3333, "Other HTTP Features"), and HTTP/2 knows none of them (RFC 9113 section 8.2.2).
 */
export const hopByHopHeaders: ReadonlySet<string> = new Set([
  'connection',
  'http2-settings',
  'keep-alive',
  'proxy-connection',
  'te',
  'trailer',
  'transfer-encoding',
  'upgrade',
]);

/**
 * The headers, in lower case, that the sender of a message names in Connection: they end here as well. Undefined where
 * there is none. Never Host, without which the request would be meant for another site.
 *
 * The front is an intermediary (RFC 9110 section 7.6.1) before every application, so that one gets the same by a gateway as by HTTP.
 *
 * Takes names and values in turn.
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

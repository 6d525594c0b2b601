import type { Exchange } from '../exchange.js';

/**
 * Passes the links of a 103 Early Hints on (RFC 8297), where the client can take it: HTTP/1.0 knows no interim answers (RFC
 * 9110 section 15.2). Other headers of it are left out. Used by HttpForwarding.
 *
 * Several Link headers arrive as one, which Node would not send; what it takes for no link at all is left out too.
 */
export function passEarlyHints({ request, response }: Exchange, link: string): void {
  if (request.httpVersion === '1.0' || response.headersSent) return;
  const links = link.split(/,\s*(?=<)/).filter((one) => LINK.test(one));
  if (links.length > 0) response.writeEarlyHints({ link: links });
}

// Private

/** A part of what Node itself takes (lib/internal/validators.js, linkValueRegExp). It throws on anything else. */
const LINK = /^<[^>]*>(?:\s*;\s*[a-z-]+(?:=(?:"[^;"\s]*"|[^;"\s,]*))?)*$/i;

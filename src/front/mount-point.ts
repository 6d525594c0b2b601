import { posix } from 'node:path';
import { respondWithErrorPage } from './error-page.js';
import type { Handler } from './exchange.js';
import { decodeToLatin1, isBelowMount } from './upstream/environ.js';

/**
 * Answers what lies outside of the prefix that the application is mounted under: it belongs to another application, or to none.
 * No handler where the application has the root.
 *
 * The path is taken as applications read it: decoded, and with its dot segments resolved (RFC 3986 section 5.2.4).
 */
export function refuseOutside(scriptName: string): Handler[] {
  if (scriptName === '') return [];
  const handle: Handler = (exchange) => {
    const path = decodeToLatin1(exchange.path);
    if (isBelowMount(path, scriptName) && isBelowMount(posix.normalize(path), scriptName)) return false;
    respondWithErrorPage(exchange, 404, 'There is no page at this address.', { drainsRequest: true });
    return true;
  };
  return [handle];
}

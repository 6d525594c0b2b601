import { validateHeaderName, validateHeaderValue } from 'node:http';
import type { OutgoingHttpHeaders } from 'node:http2';
import { hopByHopHeaders } from '../../hop-by-hop.js';

/** Those of an answer that are no lists. Sent twice over HTTP/1 the client chooses; Node does not send them twice over HTTP/2. */
const singular = new Set([
  'access-control-allow-credentials',
  'access-control-allow-origin',
  'access-control-max-age',
  'age',
  'content-length',
  'content-location',
  'content-range',
  'content-type',
  'date',
  'etag',
  'expires',
  'last-modified',
  'location',
  'retry-after',
  'server',
  'x-content-type-options',
]);

const MARGIN = /^[ \t]+|[ \t]+$/g;

/** The header fields of one answer, as HTTP/2 has them: names in lower case, nothing about the connection. */
export class Http2Fields {
  readonly #fields = new Map<string, string | readonly string[]>();

  /**
   * Adds one. Of a field that is no list the last one counts; others are joined (RFC 9110 section 5.3), except Set-Cookie. Throws
   * what http.ServerResponse throws on what is no header.
   */
  add(name: string, value: string): void {
    validateHeaderName(name);
    validateHeaderValue(name, value);
    const key = name.toLowerCase();
    // Handlers may write them all the same.
    if (hopByHopHeaders.has(key)) return;
    // RFC 9113 section 8.2.1: clients take an answer for malformed otherwise.
    const bare = value.replace(MARGIN, '');
    const before = this.#fields.get(key);
    if (before === undefined || singular.has(key)) this.#fields.set(key, bare);
    else if (key === 'set-cookie') this.#fields.set(key, [before, bare].flat());
    // An empty member adds nothing to a list (RFC 9110 section 5.6.1), and would leave a space at the end of the value.
    else if (before === '') this.#fields.set(key, bare);
    else if (bare === '') return;
    else this.#fields.set(key, `${before}, ${bare}`);
  }

  toHead(status: number): OutgoingHttpHeaders {
    // Without a prototype: a header may be called `__proto__`.
    const head: OutgoingHttpHeaders = Object.create(null);
    for (const [name, value] of this.#fields) head[name] = value as string | string[];
    if (status === 205) delete head['content-length'];
    head[':status'] = status;
    return head;
  }
}

import fc from 'fast-check';
import type { ClientFacts, Exchange } from '../../src/front/exchange.js';
import { fieldValue, textOf, token } from './arbitraries.js';

/** An exchange with only what makes the application's request of it. */
export interface MadeUpExchange {
  readonly exchange: Exchange;
  /** Names and values in turn. */
  readonly rawHeaders: readonly string[];
}

/** Names that mean something to somebody on the way, in several spellings. */
const tellingNames = [
  ...['Host', 'Cookie', 'cookie', 'Content-Type', 'content-type', 'Accept', 'X-Custom', 'x-custom'],
  ...[
    'Connection',
    'Keep-Alive',
    'TE',
    'Upgrade',
    'Transfer-Encoding',
    'Trailer',
    'Proxy-Connection',
    'HTTP2-Settings',
  ],
  ...['Proxy', 'Content_Length', 'Content.Length', 'X_Forwarded_For', 'X.Forwarded-For', 'X-Forwarded-For'],
  ...[
    'X-Forwarded-Proto',
    'X-Forwarded-Host',
    'X-Real-IP',
    'Forwarded',
    'X-Request-ID',
    'Expect',
    '__proto__',
  ],
  ...['constructor', 'toString', 'Remote-User', 'REMOTE_USER', 'Script-Name', 'Path-Info', 'Request-Method'],
];

const header = fc.tuple(
  fc.oneof({ weight: 2, arbitrary: fc.constantFrom(...tellingNames) }, { weight: 1, arbitrary: token }),
  fc.oneof(
    { weight: 3, arbitrary: fieldValue },
    {
      weight: 1,
      arbitrary: fc.constantFrom('close', 'x-custom, Cookie', 'chunked', 'keep-alive, Host', '', 'a=1; b=2'),
    },
  ),
);

/** The path as sent: what is dangerous in one, and bytes as Node gives them. */
export const sentPath: fc.Arbitrary<string> = textOf('/.a%2ef5cC0\\:~+\x80\xffé', [
  ...[
    '..',
    '%2e',
    '%2F',
    '%5c',
    '%00',
    '%',
    '%c3%a9',
    '%c0%ae',
    '%ff',
    '//',
    'static',
    '%u002e',
    ';',
    '%252e',
  ],
]).map((path) => `/${path}`);

const believedOfProxies: ReadonlySet<string> = new Set(['forwarded', 'x-forwarded-port']);
const believedOfOthers: ReadonlySet<string> = new Set();

const client: fc.Arbitrary<ClientFacts> = fc
  .record({
    address: fc.constantFrom('192.0.2.7', '2001:db8::1'),
    port: fc.nat(65_535),
    scheme: fc.constantFrom('http', 'https'),
    host: fc.constantFrom(
      '',
      'example.com',
      'example.com:8000',
      '[2001:db8::2]:80',
      '[',
      ':',
      'a:b:c',
      'x:99999',
    ),
    isPeerTrusted: fc.boolean(),
    isProxy: fc.constant(false),
  })
  .map((facts) => ({
    ...facts,
    believedHeaders: facts.isPeerTrusted ? believedOfProxies : believedOfOthers,
  }));

export const madeUpExchange: fc.Arbitrary<MadeUpExchange> = fc
  .record({
    method: fc.constantFrom('GET', 'POST', 'HEAD', 'DELETE', 'PROPFIND'),
    path: sentPath,
    query: textOf('a=&%20+;?/\\|"', ['%00', '%0d%0a']),
    headers: fc.array(header, { maxLength: 14 }),
    client,
  })
  .map(({ method, path, query, headers, client }) => {
    const rawHeaders = headers.flat();
    const request = {
      rawHeaders,
      headers: foldHeaders(rawHeaders),
      url: `${path}?${query}`,
      method,
      httpVersion: '1.1',
    };
    const exchange = { request, client, method, path, query, id: 'id-1', isUpgrade: false };
    return { rawHeaders, exchange: exchange as unknown as Exchange };
  });

/** As Node's parser has them: lower case, the values of a name joined. */
function foldHeaders(rawHeaders: readonly string[]): Record<string, string> {
  const folded: Record<string, string> = Object.create(null);
  for (let at = 0; at < rawHeaders.length; at += 2) {
    const name = (rawHeaders[at] as string).toLowerCase();
    const value = rawHeaders[at + 1] as string;
    folded[name] = folded[name] === undefined ? value : `${folded[name]}, ${value}`;
  }
  return folded;
}

import assert from 'node:assert/strict';
import { type TestContext, test } from 'node:test';
import { decodeToLatin1, EnvironEncoder } from '../../../../src/front/upstream/environ.js';
import type { RequestBody } from '../../../../src/front/upstream/request-body.js';
import type { Settings } from '../../../../src/settings/settings.js';
import { serveFront } from '../../../support/serve-front.js';

interface Sent {
  readonly line?: string;
  /** Before the empty line; a Host is added unless this is given. */
  readonly headers?: readonly string[];
  readonly scriptName?: string;
  readonly body?: RequestBody;
  readonly trustedProxies?: Settings['trustedProxies'];
  readonly proxyHeaders?: Settings['proxyHeaders'];
  /** What has made other environs before. */
  readonly environs?: EnvironEncoder;
}

/** The environ of a request as it comes over a real connection; undefined where none could be made. */
async function environOf(t: TestContext, sent: Sent): Promise<Record<string, string> | undefined> {
  const { scriptName = '', body = { kind: 'none' }, trustedProxies = [] } = sent;
  const { environs = new EnvironEncoder(scriptName) } = sent;
  let head: string | undefined;
  const served = await serveFront(
    t,
    [
      (exchange) => {
        head = environs.encode(exchange, body);
        exchange.respond(204, []);
        return true;
      },
    ],
    { trustedProxies, ...(sent.proxyHeaders && { proxyHeaders: sent.proxyHeaders }) },
  );
  const { line = 'GET / HTTP/1.1', headers = ['Host: example.com'] } = sent;
  await served.exchange([line, ...headers, 'Connection: close', '\r\n'].join('\r\n'));
  if (head === undefined) return undefined;
  const fields = head.split('\0');
  const pairs = fields.flatMap((name, at) => (at % 2 === 0 ? [[name, fields[at + 1]]] : []));
  assert.equal(new Set(pairs.map(([name]) => name)).size, pairs.length, 'no name comes twice');
  return Object.fromEntries(pairs);
}

/** Undefined: the variable is not there. */
type Expected = Readonly<Record<string, string | undefined>>;

const proxied = { trustedProxies: ['127.0.0.0/8'] };
const proxyHeaders = ['X-Forwarded-For', 'x-forwarded-proto', 'X-Forwarded-Host', 'X-Forwarded-Port'];
const forgeable = {
  ...{ HTTP_FORWARDED: undefined, HTTP_X_REAL_IP: undefined, HTTP_X_FORWARDED_PORT: undefined },
  ...{ HTTP_X_FORWARDED_PREFIX: undefined, SERVER_NAME: 'inner', HTTP_X_FORWARDED_HOST: 'inner' },
};
const forging = [
  ...['Forwarded: for=6.6.6.6', 'X-Real-IP: 6.6.6.6', 'X-Forwarded-Port: 666'],
  ...['X-Forwarded-Prefix: /evil', 'X-Forwarded-Host: evil.test'],
];
const fromProxy = (...headers: string[]) => ['Host: inner', ...headers];

const cases: [what: string, sent: Sent, expected: Expected][] = [
  [
    'a plain GET',
    { line: 'GET /a/b?c=d&e HTTP/1.1', headers: ['Host: example.com', 'Accept: */*', 'accept-language: de'] },
    {
      REQUEST_METHOD: 'GET',
      SCRIPT_NAME: '',
      PATH_INFO: '/a/b',
      QUERY_STRING: 'c=d&e',
      REQUEST_URI: '/a/b?c=d&e',
      SERVER_PROTOCOL: 'HTTP/1.1',
      SERVER_NAME: 'example.com',
      SERVER_PORT: '80',
      REMOTE_ADDR: '127.0.0.1',
      'wsgi.url_scheme': 'http',
      HTTP_HOST: 'example.com',
      HTTP_ACCEPT: '*/*',
      HTTP_ACCEPT_LANGUAGE: 'de',
      HTTP_CONNECTION: undefined,
      CONTENT_LENGTH: undefined,
      CONTENT_TYPE: undefined,
    },
  ],
  [
    'a body: its type as it is, its length as it was read',
    {
      line: 'POST / HTTP/1.1',
      headers: ['Host: h', 'Content-Type: text/plain; charset=utf-8', 'Content-Length: 0'],
      body: { kind: 'memory', bytes: Buffer.alloc(7) },
    },
    {
      REQUEST_METHOD: 'POST',
      CONTENT_TYPE: 'text/plain; charset=utf-8',
      CONTENT_LENGTH: '7',
      HTTP_CONTENT_TYPE: undefined,
      HTTP_CONTENT_LENGTH: undefined,
    },
  ],
  [
    'an empty query, and a question mark in the query',
    { line: 'GET /a??b=? HTTP/1.1' },
    { PATH_INFO: '/a', QUERY_STRING: '?b=?' },
  ],
  [
    'headers that are repeated are joined',
    { headers: ['Host: h', 'X-List: a', 'Accept: x', 'x-list: b', 'X-LIST: c'] },
    { HTTP_X_LIST: 'a,b,c', HTTP_ACCEPT: 'x' },
  ],
  [
    'cookies are joined with a semicolon',
    { headers: ['Host: h', 'Cookie: a=1', 'Cookie: b=2'] },
    { HTTP_COOKIE: 'a=1; b=2' },
  ],
  [
    'of two content types the first counts',
    { headers: ['Host: h', 'Content-Type: text/plain', 'Content-Type: text/html'] },
    { CONTENT_TYPE: 'text/plain' },
  ],
  [
    'names with an underscore or a dot are dropped, for they pass for others',
    {
      headers: ['Host: h', 'X_Forwarded_For: 6.6.6.6', 'X.Real.IP: 6.6.6.6', 'Content_Length: 5', 'X-Ok: 1'],
    },
    {
      HTTP_X_FORWARDED_FOR: '127.0.0.1',
      HTTP_X_REAL_IP: undefined,
      CONTENT_LENGTH: undefined,
      HTTP_X_OK: '1',
    },
  ],
  [
    'Proxy is dropped (httpoxy), and what belongs to the connection',
    { headers: ['Host: h', 'Proxy: http://evil/', 'TE: trailers', 'Keep-Alive: 5', 'Upgrade: h2c'] },
    { HTTP_PROXY: undefined, HTTP_TE: undefined, HTTP_KEEP_ALIVE: undefined, HTTP_UPGRADE: undefined },
  ],
  [
    'what a stranger says about itself is dropped, and said anew',
    {
      headers: [
        ...['Host: h', 'X-Forwarded-For: 6.6.6.6', 'X-Forwarded-Proto: https', 'X-Forwarded-Host: evil'],
        ...[
          'X-Forwarded-Port: 443',
          'X-Forwarded-Prefix: /x',
          'X-Real-IP: 6.6.6.6',
          'Forwarded: for=6.6.6.6',
        ],
        ...['X-Forwarded-Ssl: on', 'X-Scheme: https', 'X-Request-ID: forged'],
      ],
    },
    {
      REMOTE_ADDR: '127.0.0.1',
      'wsgi.url_scheme': 'http',
      HTTP_X_FORWARDED_FOR: '127.0.0.1',
      HTTP_X_FORWARDED_PROTO: 'http',
      HTTP_X_FORWARDED_HOST: 'h',
      HTTP_X_FORWARDED_PORT: undefined,
      HTTP_X_FORWARDED_PREFIX: undefined,
      HTTP_X_FORWARDED_SSL: undefined,
      HTTP_X_REAL_IP: undefined,
      HTTP_X_SCHEME: undefined,
      HTTP_FORWARDED: undefined,
    },
  ],
  [
    'a trusted proxy is believed about what it is known to say',
    {
      ...{ ...proxied, proxyHeaders },
      headers: fromProxy(
        ...[
          'X-Forwarded-For: 6.6.6.6, 192.0.2.7',
          'X-Forwarded-Proto: https',
          'X-Forwarded-Host: shop.example',
        ],
        ...['X-Forwarded-Port: 443', 'X-Request-ID: from-proxy_1.2'],
      ),
    },
    {
      REMOTE_ADDR: '192.0.2.7',
      REMOTE_PORT: '0',
      'wsgi.url_scheme': 'https',
      SERVER_NAME: 'shop.example',
      SERVER_PORT: '443',
      HTTP_HOST: 'inner',
      HTTP_X_FORWARDED_FOR: '192.0.2.7',
      HTTP_X_FORWARDED_PROTO: 'https',
      HTTP_X_FORWARDED_HOST: 'shop.example',
      HTTP_X_FORWARDED_PORT: '443',
      HTTP_X_REQUEST_ID: 'from-proxy_1.2',
    },
  ],
  [
    'what a proxy may pass on from its client is dropped',
    { ...proxied, headers: fromProxy('X-Forwarded-For: 192.0.2.7', ...forging) },
    { ...forgeable, REMOTE_ADDR: '192.0.2.7' },
  ],
  [
    'of a proxy that says no more than X-Forwarded-Proto',
    {
      ...{ ...proxied, proxyHeaders: ['X-Forwarded-Proto'] },
      headers: fromProxy('X-Forwarded-For: 6.6.6.6', 'X-Forwarded-Proto: https', ...forging),
    },
    { ...forgeable, REMOTE_ADDR: '127.0.0.1', 'wsgi.url_scheme': 'https' },
  ],
  [
    'a forwarded host that is none',
    { ...{ ...proxied, proxyHeaders }, headers: fromProxy('X-Forwarded-Host: u@evil.test') },
    { SERVER_NAME: 'inner', HTTP_X_FORWARDED_HOST: 'inner' },
  ],
  [
    'of several forwarded hosts that of the same proxy as the address',
    {
      ...{ ...proxied, proxyHeaders },
      headers: fromProxy('X-Forwarded-For: 192.0.2.7, 127.0.0.2', 'X-Forwarded-Host: shop.example, inner'),
    },
    { SERVER_NAME: 'shop.example' },
  ],
  [
    'another host in the target',
    { line: 'GET http://other.test:81/a HTTP/1.1' },
    { PATH_INFO: '/a', HTTP_HOST: 'other.test:81', SERVER_NAME: 'other.test', SERVER_PORT: '81' },
  ],
  [
    'a trusted proxy that says nothing',
    { ...proxied, headers: fromProxy('X-Forwarded-Host:', 'X-Forwarded-Proto: gopher') },
    { REMOTE_ADDR: '127.0.0.1', 'wsgi.url_scheme': 'http', HTTP_X_FORWARDED_HOST: 'inner' },
  ],
  [
    'trusted proxies in a row are passed over, from the right',
    { ...proxied, headers: fromProxy('X-Forwarded-For: 6.6.6.6, 192.0.2.7, 127.0.0.5, 127.0.0.6') },
    { REMOTE_ADDR: '192.0.2.7' },
  ],
  [
    'where all are trusted, the farthest is the client',
    { ...proxied, headers: fromProxy('X-Forwarded-For: 127.0.0.4, 127.0.0.5') },
    { REMOTE_ADDR: '127.0.0.4' },
  ],
  [
    'an address with a port, as some proxies write it',
    { ...proxied, headers: fromProxy('X-Forwarded-For: 6.6.6.6, 192.0.2.7:4711') },
    { REMOTE_ADDR: '192.0.2.7' },
  ],
  [
    'an IPv6 address in brackets',
    { ...proxied, headers: fromProxy('X-Forwarded-For: 6.6.6.6, [2001:db8::7]:4711') },
    { REMOTE_ADDR: '2001:db8::7' },
  ],
  [
    'behind a word that is no address nothing is believed',
    { ...proxied, headers: fromProxy('X-Forwarded-For: 6.6.6.6, unknown') },
    { REMOTE_ADDR: '127.0.0.1' },
  ],
  [
    'behind a word that is no address nothing is believed, beyond the proxy before it',
    { ...proxied, headers: fromProxy('X-Forwarded-For: 6.6.6.6, unknown, 127.0.0.9') },
    { REMOTE_ADDR: '127.0.0.9' },
  ],
  ['escapes are decoded', { line: 'GET /%C3%A4%20%2F+%25 HTTP/1.1' }, { PATH_INFO: '/\u00c3\u00a4 /+%' }],
  ['broken escapes stay', { line: 'GET /100%/%zz%4 HTTP/1.1' }, { PATH_INFO: '/100%/%zz%4' }],
  ['the query stays as it is', { line: 'GET /?a=%41%00 HTTP/1.1' }, { QUERY_STRING: 'a=%41%00' }],
  [
    'bytes of a header that are no ASCII are latin-1',
    { headers: ['Host: h', 'X-Name: gr\xf6\xdfe'] },
    { HTTP_X_NAME: 'gr\xf6\xdfe' },
  ],
  [
    'an absolute target',
    { line: 'GET http://example.com/a?b HTTP/1.1' },
    { PATH_INFO: '/a', QUERY_STRING: 'b', HTTP_HOST: 'example.com', SERVER_NAME: 'example.com' },
  ],
  [
    'an absolute target without a path',
    { line: 'GET http://example.com?b HTTP/1.1' },
    { PATH_INFO: '/', QUERY_STRING: 'b' },
  ],
  [
    'below the script name',
    { line: 'GET /shop/cart?x HTTP/1.1', scriptName: '/shop' },
    { SCRIPT_NAME: '/shop', PATH_INFO: '/cart', REQUEST_URI: '/shop/cart?x' },
  ],
  [
    'the script name itself',
    { line: 'GET /shop HTTP/1.1', scriptName: '/shop' },
    { SCRIPT_NAME: '/shop', PATH_INFO: '' },
  ],
  [
    'beside the script name',
    { line: 'GET /shopping HTTP/1.1', scriptName: '/shop' },
    { SCRIPT_NAME: '', PATH_INFO: '/shopping' },
  ],
  [
    'HTTP/1.0 without a host',
    { line: 'GET / HTTP/1.0', headers: [] },
    {
      SERVER_PROTOCOL: 'HTTP/1.0',
      SERVER_NAME: 'localhost',
      SERVER_PORT: '80',
      HTTP_HOST: undefined,
      HTTP_X_FORWARDED_HOST: undefined,
    },
  ],
  [
    'a port in the host',
    { headers: ['Host: example.com:8000'] },
    { SERVER_NAME: 'example.com', SERVER_PORT: '8000', HTTP_HOST: 'example.com:8000' },
  ],
  ['an IPv6 host', { headers: ['Host: [::1]'] }, { SERVER_NAME: '[::1]', SERVER_PORT: '80' }],
  [
    'an IPv6 host with a port',
    { headers: ['Host: [::1]:8000'] },
    { SERVER_NAME: '[::1]', SERVER_PORT: '8000' },
  ],
  ['a host with an empty port', { headers: ['Host: h:'] }, { SERVER_NAME: 'h', SERVER_PORT: '80' }],
];

for (const [what, sent, expected] of cases) {
  test(what, async (t) => {
    const environ = await environOf(t, sent);
    assert.ok(environ);
    for (const [name, value] of Object.entries(expected)) assert.equal(environ[name], value, name);
  });
}

test('a path with a NUL has no environ', async (t) => {
  assert.equal(await environOf(t, { line: 'GET /a%00b HTTP/1.1' }), undefined);
});

test('what a trusted peer sends does not change how the headers of strangers are remembered', async (t) => {
  const environs = new EnvironEncoder('');
  const names = ['-X-Never-Seen: a', 'X-Forwarded-Port: 443'];
  await environOf(t, { ...proxied, headers: fromProxy(...names), environs });
  const environ = await environOf(t, {
    headers: ['Host: h', 'X-Never-Seen: b', 'X-Forwarded-Port: 443'],
    environs,
  });
  assert.equal(environ?.HTTP_X_NEVER_SEEN, 'b');
  assert.ok(environ && !('HTTP_X_FORWARDED_PORT' in environ));
});

test('the request id is the one that the log shows', async (t) => {
  const ids: (string | undefined)[] = [];
  const encoder = new EnvironEncoder('');
  const served = await serveFront(t, [
    (exchange) => {
      const head = encoder.encode(exchange, { kind: 'none' });
      ids.push(/HTTP_X_REQUEST_ID\0([^\0]*)/.exec(head ?? '')?.[1]);
      exchange.respond(204, []);
      return true;
    },
  ]);
  await served.exchange('GET / HTTP/1.1\r\nHost: h\r\nX-Request-ID: forged\r\nConnection: close\r\n\r\n');
  await served.log.until(() => served.log.accessRecords.length === 1, 'the access record');
  assert.deepEqual(ids, [served.log.accessRecords[0]?.requestId]);
});

test('what is remembered of header names stays bounded, and repeated ones are found all the same', async (t) => {
  const environs: string[] = [];
  const encoder = new EnvironEncoder('');
  const served = await serveFront(t, [
    (exchange) => {
      environs.push(encoder.encode(exchange, { kind: 'none' }) ?? '');
      exchange.respond(204, []);
      return true;
    },
  ]);
  const connection = await served.connect();
  for (let round = 0; round < 28; round += 1) {
    const strange = Array.from({ length: 90 }, (_, index) => `X-${round}-${index}: 1`).join('\r\n');
    connection.send(`GET / HTTP/1.1\r\nHost: h\r\nX-Twice: a\r\n${strange}\r\nX-Twice: b\r\n\r\n`);
  }
  await served.log.until(() => served.log.accessRecords.length === 28, 'all answers');
  for (const environ of environs) assert.equal(environ.split('\0HTTP_X_TWICE\0').length, 2);
});

const paths: [path: string, decoded: string][] = [
  ['/', '/'],
  ['/a+b', '/a+b'],
  ['/a%20b%2Fc', '/a b/c'],
  ['/%C3%A4', '/\u00c3\u00a4'],
  ['/%ff', '/\u00ff'],
  ['/%00', '/\0'],
  ['/%2520', '/%20'],
  ['/100%', '/100%'],
  ['/%z1%1', '/%z1%1'],
  ['/%%41', '/%A'],
];
for (const [path, decoded] of paths) {
  test(`${path} is ${JSON.stringify(decoded)}`, () => assert.equal(decodeToLatin1(path), decoded));
}

import assert from 'node:assert/strict';
import { type TestContext, test } from 'node:test';
import { type HttpWorldOptions, makeHttpWorld } from '../../../support/http-world.js';
import { serveRawUpstream } from '../../../support/raw-upstream.js';

const trusted = {
  trustedProxies: ['127.0.0.1'],
  proxyHeaders: ['X-Forwarded-For', 'X-Forwarded-Proto', 'X-Forwarded-Host', 'X-Forwarded-Prefix'],
};

test('what the front says of the client', async (t) => {
  const headers = await forward(t, ['Host: example.com:8000']);
  assert.equal(headers.get('host'), 'example.com:8000');
  assert.equal(headers.get('x-forwarded-for'), '127.0.0.1');
  assert.equal(headers.get('x-forwarded-proto'), 'http');
  assert.equal(headers.get('x-forwarded-host'), 'example.com:8000');
  assert.match(headers.get('x-request-id') ?? '', /^[\da-f]+-\d+$/);
});

test('what a client says of itself like a proxy is dropped', async (t) => {
  const names = [
    ...['X-Forwarded-For', 'X-Forwarded-Proto', 'X-Forwarded-Host', 'X-Forwarded-Port', 'X-Forwarded-Prefix'],
    ...[
      'X-Forwarded-User',
      'X-Forwarded-Client-Cert',
      'x-FORWARDED-anything',
      'X-Forwarded',
      'Forwarded',
      'X-Real-IP',
    ],
    ...['X_Forwarded_For', 'X.Forwarded.For', 'X-Real_IP', 'Any_Thing', 'Any.Thing', 'Proxy', 'X-Scheme'],
  ];
  const headers = await forward(t, ['Host: h', ...names.map((name) => `${name}: 203.0.113.9`)], {
    settings: { trustedProxies: [] },
  });
  assert.deepEqual([...headers.keys()].sort(), [
    ...['connection', 'host', 'x-forwarded-for', 'x-forwarded-host', 'x-forwarded-proto', 'x-request-id'],
  ]);
  assert.ok(![...headers.values()].includes('203.0.113.9'));
});

test('a trusted proxy may say it, each thing once', async (t) => {
  const headers = await forward(
    t,
    [
      'Host: inner',
      'X-Forwarded-For: 198.51.100.1, 203.0.113.9',
      'X-Forwarded-Proto: https',
      'X-Forwarded-Host: example.com',
      'X-Forwarded-Prefix: /app',
      'X-Real-IP: 203.0.113.9',
      'X-Forwarded_For: 192.0.2.1',
    ],
    { settings: trusted },
  );
  assert.equal(headers.get('x-forwarded-for'), '203.0.113.9');
  assert.equal(headers.get('x-forwarded-proto'), 'https');
  assert.equal(headers.get('x-forwarded-host'), 'example.com');
  assert.equal(headers.get('x-forwarded-prefix'), '/app');
  assert.ok(!headers.has('x-real-ip'), 'proxyHeaders has no such name');
  assert.equal(headers.get('host'), 'inner');
  assert.ok(!headers.has('x-forwarded_for'));
});

test('what is about the connection, and what the client names in Connection, ends here', async (t) => {
  const headers = await forward(t, [
    'Host: h',
    'Connection: close, X-A ,x-b',
    'connection: X-C',
    ...['X-A: 1', 'X-B: 2', 'X-C: 3', 'X-D: 4'],
    ...['Keep-Alive: 5', 'Proxy-Connection: keep-alive', 'TE: trailers', 'Trailer: X-E', 'Upgrade: h2c'],
  ]);
  assert.equal(headers.get('x-d'), '4');
  assert.deepEqual([...headers.keys()].sort(), [
    ...[
      'connection',
      'host',
      'x-d',
      'x-forwarded-for',
      'x-forwarded-host',
      'x-forwarded-proto',
      'x-request-id',
    ],
  ]);
});

test('a client cannot have what the front says removed', async (t) => {
  const headers = await forward(t, [
    'Host: h',
    'Connection: Host, X-Forwarded-For, X-Forwarded-Proto, X-Forwarded-Host, X-Request-ID, Content-Length',
    'Content-Length: 0',
  ]);
  assert.equal(headers.get('host'), 'h');
  assert.equal(headers.get('x-forwarded-for'), '127.0.0.1');
  assert.equal(headers.get('x-forwarded-proto'), 'http');
  assert.equal(headers.get('x-forwarded-host'), 'h');
  assert.equal(headers.get('content-length'), '0');
  assert.ok(headers.has('x-request-id'));
});

test('names and values that look odd are passed on as they are', async (t) => {
  const headers = await forward(t, [
    'Host: h',
    ...[
      '__proto__x: 1',
      'constructor: 2',
      'toString: 3',
      'X-Latin: caf\xe9',
      'X-Empty:',
      'X-Many: a',
      'X-Many: b',
    ],
    ...['Cookie: a=1', 'Cookie: b=2', 'Content-Type: text/a', 'Content-Type: text/b'],
  ]);
  assert.equal(headers.get('constructor'), '2');
  assert.equal(headers.get('tostring'), '3');
  assert.equal(headers.get('x-latin'), 'caf\xe9');
  assert.equal(headers.get('x-empty'), '');
  assert.equal(headers.get('x-many'), 'a|b');
  assert.equal(headers.get('cookie'), 'a=1; b=2');
  assert.equal(headers.get('content-type'), 'text/a');
});

test('the headers of a streamed body are no UTF-8 either', async (t) => {
  const headers = await forward(t, ['Host: h', 'X-Latin: caf\xe9', 'Content-Length: 4'], {}, 'body');
  assert.equal(headers.get('x-latin'), 'caf\xe9');
  assert.equal(headers.get('content-length'), '4');
});

test('a request of HTTP/1.0 without a Host', async (t) => {
  const headers = await forward(t, [], { version: '1.0' });
  assert.ok(!headers.has('x-forwarded-host'));
  assert.equal(headers.get('x-forwarded-for'), '127.0.0.1');
});

// Private

/** What the application server gets for these header lines; several of a name are joined by `|`. */
async function forward(
  t: TestContext,
  lines: readonly string[],
  { version = '1.1', ...options }: HttpWorldOptions & { version?: string } = {},
  body = '',
): Promise<Map<string, string>> {
  const upstream = await serveRawUpstream(t);
  const world = await makeHttpWorld(t, upstream.path, options);
  const client = await world.served.connect();
  client.send(`POST / HTTP/${version}\r\n${lines.map((line) => `${line}\r\n`).join('')}\r\n${body}`);
  const head = await (await upstream.connection(0)).readUntil('\r\n\r\n');
  const headers = new Map<string, string>();
  for (const line of head.trimEnd().split('\r\n').slice(1)) {
    const at = line.indexOf(':');
    const name = line.slice(0, at).toLowerCase();
    const value = line.slice(at + 1).trim();
    headers.set(name, headers.has(name) ? `${headers.get(name)}|${value}` : value);
  }
  if (!lines.some((line) => /^content-length/i.test(line))) headers.delete('content-length');
  return headers;
}

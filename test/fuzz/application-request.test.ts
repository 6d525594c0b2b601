import assert from 'node:assert/strict';
import { validateHeaderName, validateHeaderValue } from 'node:http';
import { decodeToLatin1, EnvironEncoder } from '../../src/front/upstream/environ.js';
import type { RequestBody } from '../../src/front/upstream/request-body.js';
import { makeForwardedHeaders } from '../../src/front/upstream/request-headers.js';
import { forAll } from '../support/for-all.js';
import { madeUpExchange } from '../support/made-up-exchange.js';

// What an application is told of a request, whatever the client has sent.

const noBody: RequestBody = { kind: 'none' };
const body: RequestBody = { kind: 'memory', bytes: Buffer.from('body') };

/** One for all inputs, which remembers names; each input is encoded by a fresh one as well. */
const used = new EnvironEncoder('');

forAll(
  'an environ is whole, names nothing twice, and keeps what the front knows',
  madeUpExchange,
  ({ exchange }) => {
    const head = used.encode(exchange, noBody);
    assert.equal(
      head,
      new EnvironEncoder('').encode(exchange, noBody),
      'what came before makes no difference',
    );
    if (head === undefined) return;
    const environ = readEnviron(head);
    assert.equal(environ.get('REQUEST_METHOD'), exchange.method);
    assert.equal(environ.get('PATH_INFO'), decodeToLatin1(exchange.path));
    assert.equal(environ.get('QUERY_STRING'), exchange.query);
    assert.equal(environ.get('REMOTE_ADDR'), exchange.client.address);
    assert.equal(environ.get('HTTP_X_FORWARDED_FOR'), exchange.client.address);
    assert.equal(environ.get('wsgi.url_scheme'), exchange.client.scheme);
    assert.match(environ.get('SERVER_PORT') ?? '', /^\d+$/);
    assert.ok(environ.get('SERVER_NAME'));
    for (const name of neverInEnviron) assert.ok(!environ.has(name), name);
  },
);

const neverInEnviron = [
  ...['HTTP_PROXY', 'HTTP_CONTENT_LENGTH', 'HTTP_TRANSFER_ENCODING', 'HTTP_CONNECTION', 'HTTP_UPGRADE'],
  ...['HTTP_TE', 'HTTP_KEEP_ALIVE', 'HTTP_EXPECT', 'REMOTE_USER', 'HTTP_HTTP2_SETTINGS'],
];

forAll('a header that comes once arrives as it was sent, and a cookie always', madeUpExchange, (input) => {
  const head = used.encode(input.exchange, noBody);
  if (head === undefined) return;
  const environ = readEnviron(head);
  // A header that Connection names is about the connection (RFC 9110 section 7.6.1).
  const ended = new Set(connectionOptionsOf(input.rawHeaders));
  for (const name of ['X-Custom', 'Accept', 'Content-Type']) {
    if (ended.has(name.toLowerCase())) continue;
    const sent = valuesOf(input.rawHeaders, name);
    const key = name === 'Content-Type' ? 'CONTENT_TYPE' : `HTTP_${name.toUpperCase().replaceAll('-', '_')}`;
    if (sent.length < 2) assert.equal(environ.get(key), sent[0]);
  }
  const cookies = valuesOf(input.rawHeaders, 'Cookie');
  if (cookies.length > 0 && !ended.has('cookie'))
    assert.equal(environ.get('HTTP_COOKIE'), cookies.join('; '));
});

forAll(
  'an HTTP server gets headers that Node can send, and one length at most',
  madeUpExchange,
  ({ exchange }) => {
    for (const each of [noBody, body]) {
      const headers = makeForwardedHeaders(exchange, each);
      if (headers === undefined) continue;
      for (const [name, value] of Object.entries(headers)) {
        validateHeaderName(name);
        for (const text of [value].flat()) validateHeaderValue(name, String(text));
        assert.equal(name, name.toLowerCase());
      }
      assert.equal(headers['x-forwarded-for'], exchange.client.address);
      assert.equal(headers['x-forwarded-proto'], exchange.client.scheme);
      assert.equal(headers['content-length'], each === body ? '4' : undefined);
      for (const name of [
        'transfer-encoding',
        'connection',
        'upgrade',
        'te',
        'proxy',
        'expect',
        'x_forwarded_for',
      ]) {
        assert.ok(!(name in headers), name);
      }
    }
  },
);

forAll('what Connection names does not go on', madeUpExchange, ({ exchange, rawHeaders }) => {
  const headers = makeForwardedHeaders(exchange, noBody);
  const named = connectionOptionsOf(rawHeaders);
  if (headers === undefined) return;
  for (const name of ['x-custom', 'cookie']) if (named.includes(name)) assert.ok(!(name in headers), name);
});

function readEnviron(head: string): ReadonlyMap<string, string> {
  const fields = head.split('\0');
  assert.equal(fields.length % 2, 0);
  const environ = new Map<string, string>();
  for (let at = 0; at < fields.length; at += 2) {
    assert.ok(!environ.has(fields[at] as string), `${fields[at]} comes twice`);
    environ.set(fields[at] as string, fields[at + 1] as string);
  }
  return environ;
}

function valuesOf(rawHeaders: readonly string[], name: string): string[] {
  return rawHeaders.filter(
    (_, at) => at % 2 === 1 && rawHeaders[at - 1]?.toLowerCase() === name.toLowerCase(),
  );
}

/** In lower case. */
function connectionOptionsOf(rawHeaders: readonly string[]): string[] {
  return valuesOf(rawHeaders, 'Connection').flatMap((value) => value.toLowerCase().split(/\s*,\s*/));
}

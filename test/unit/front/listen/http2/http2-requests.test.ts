import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import { once } from 'node:events';
import { readdirSync } from 'node:fs';
import { createServer } from 'node:http';
import { type TestContext, test } from 'node:test';
import type { Exchange, Handler } from '../../../../../src/front/exchange.js';
import { answerOf, askHttp2 } from '../../../../support/ask-http2.js';
import { eventually } from '../../../../support/eventually.js';
import { makeGatewayWorld } from '../../../../support/gateway-world.js';
import { makeHttpWorld, serveUpstream } from '../../../../support/http-world.js';
import { encodeFields, endHeaders, endStream, frameType, getFields } from '../../../../support/raw-http2.js';
import { type SecureFront, secure, serveSecureFront } from '../../../../support/serve-secure-front.js';

/** Answers with what an application would see of the head. */
const describe: Handler = (exchange) => {
  const { request, client, path, query } = exchange;
  const facts = { path, query, client, raw: request.rawHeaders, version: request.httpVersion };
  exchange.respond(200, [], JSON.stringify(facts));
  return true;
};

test('the head looks as that of HTTP/1', async (t) => {
  const site = await serveSecureFront(t, [describe]);
  const { text } = await askHttp2(await site.http2(), {
    ...{ ':path': '/a%20b?c=d', ':authority': 'example.com:8443' },
    ...{ 'X-Name': 'value', cookie: ['a=1', 'b=2'] },
  });
  const facts = JSON.parse(text);
  assert.deepEqual([facts.path, facts.query, facts.version], ['/a%20b', 'c=d', '2.0']);
  assert.deepEqual(facts.raw, ['host', 'example.com:8443', 'x-name', 'value', 'cookie', 'a=1; b=2']);
  assert.equal(facts.client.host, 'example.com:8443');
  assert.equal(facts.client.scheme, 'https');
  assert.equal(facts.client.address, '127.0.0.1');
});

test('Host instead of :authority, both alike, and both that differ', async (t) => {
  const site = await serveSecureFront(t, [describe]);
  const raw = await site.rawHttp2();
  const ask = (stream: number, ...hosts: readonly (readonly [string, string])[]): void => {
    const fields = encodeFields([[':method', 'GET'], [':scheme', 'https'], [':path', '/'], ...hosts]);
    raw.send(frameType.headers, endStream | endHeaders, stream, fields);
  };
  ask(1, ['host', 'example.com']);
  ask(3, [':authority', 'example.com'], ['host', 'Example.com']);
  ask(5, [':authority', 'example.com'], ['host', 'other.example']);
  const bodies = await Promise.all(
    [1, 3, 5].map(async (stream) => {
      const frame = await raw.until(
        ({ type, ...each }) =>
          each.stream === stream && (type === frameType.data || (each.flags & endStream) !== 0),
      );
      return frame.payload.toString();
    }),
  );
  assert.match(String(bodies[0]), /"raw":\["host","example.com"\]/);
  assert.match(String(bodies[1]), /"raw":\["host","example.com"\]/);
  // A head without a body: 400.
  assert.doesNotMatch(String(bodies[2]), /raw/);
});

const malformed: [what: string, fields: Buffer][] = [
  ['a name in upper case', getFields('/', ['X-Upper', 'x'])],
  ['a header about the connection', getFields('/', ['connection', 'keep-alive'])],
  ['chunks', getFields('/', ['transfer-encoding', 'chunked'])],
  ['a second Host', getFields('/', ['host', 'localhost'], ['host', 'localhost'])],
  ['a path that is none', getFields('nowhere')],
  ['an empty path', getFields('')],
  [
    'no path',
    encodeFields([
      [':method', 'GET'],
      [':scheme', 'https'],
      [':authority', 'localhost'],
    ]),
  ],
  [
    'no host',
    encodeFields([
      [':method', 'GET'],
      [':scheme', 'https'],
      [':path', '/'],
    ]),
  ],
  [
    'a pseudo-header that nobody knows',
    encodeFields([
      [':method', 'GET'],
      [':scheme', 'https'],
      [':authority', 'localhost'],
      [':path', '/'],
      [':more', 'x'],
    ]),
  ],
];
test('malformed heads are reset, and reach nobody', async (t) => {
  const site = await serveSecureFront(t, [() => assert.fail('not for a handler')]);
  const raw = await site.rawHttp2();
  for (const [index, [what, fields]] of malformed.entries()) {
    const stream = 1 + 2 * index;
    raw.send(frameType.headers, endStream | endHeaders, stream, fields);
    const frame = await raw.until((each) => each.stream === stream);
    assert.equal(frame.type, frameType.reset, what);
  }
});

test('a value with a line break is dropped', async (t) => {
  const site = await serveSecureFront(t, [describe]);
  const raw = await site.rawHttp2();
  raw.get(1, '/', ['x-bad', 'a\r\nx-smuggled: b'], ['x-good', 'c']);
  const { payload } = await raw.until(({ type }) => type === frameType.data);
  assert.match(payload.toString(), /"raw":\["host","localhost","x-good","c"\]/);
});

test('CONNECT is refused: this is no proxy', async (t) => {
  const site = await serveSecureFront(t, [() => assert.fail('not for a handler')]);
  const answer = await askHttp2(
    await site.http2(),
    { ':method': 'CONNECT', ':authority': 'example.com:443' },
    '',
  );
  assert.equal(answer.status, 501);
});

test('OPTIONS *', async (t) => {
  const site = await serveSecureFront(t, [() => assert.fail('not for a handler')]);
  assert.equal((await askHttp2(await site.http2(), { ':method': 'OPTIONS', ':path': '*' })).status, 204);
});

test('a head beyond the limit is answered with 431', async (t) => {
  const site = await serveSecureFront(t, [describe], { maxHeaderBytes: 2000 });
  const small = { ':path': '/', 'x-small': 'x'.repeat(1000) };
  const large = { ':path': '/', 'x-large': 'x'.repeat(2000) };
  assert.equal((await askHttp2(await site.http2(), large)).status, 431);
  assert.equal((await askHttp2(await site.http2(), small)).status, 200);
});

for (const length of [1000, 300_000, 5_000_000]) {
  test(`a body of ${length} bytes without a length reaches a gateway whole`, async (t) => {
    const world = await makeGatewayWorld(t);
    const site = await secure(t, world.served);
    const body = randomBytes(length);
    const answered = askHttp2(await site.http2(), { ':method': 'POST', ':path': '/' }, body);
    const { environ, body: received, thread } = await world.gateway.nextFrame();
    assert.equal(environ.SERVER_PROTOCOL, 'HTTP/2.0');
    assert.equal(environ.CONTENT_LENGTH, String(length));
    assert.equal(environ['wsgi.url_scheme'], 'https');
    assert.equal(environ.HTTP_TRANSFER_ENCODING, undefined);
    if (length < 262_144) assert.ok(received.equals(body));
    thread.answer('taken');
    assert.equal((await answered).text, 'taken');
  });
}

async function serveEcho(t: TestContext): Promise<SecureFront> {
  const { path } = await serveUpstream(t, (request, response) => {
    response.writeHead(200, { 'X-Head': JSON.stringify(request.headers) });
    request.pipe(response);
  });
  return await secure(t, (await makeHttpWorld(t, path)).served);
}

test('an HTTP server gets one cookie line, chunks for a body without a length, and no pseudo-headers', async (t) => {
  const site = await serveEcho(t);
  const body = randomBytes(1_000_000);
  const answer = await askHttp2(
    await site.http2(),
    { ':method': 'POST', ':path': '/', ':authority': 'example.com', cookie: ['a=1', 'b=2'] },
    body,
  );
  assert.ok(answer.body.equals(body));
  const head = JSON.parse(String(answer.headers['x-head']));
  assert.equal(head.cookie, 'a=1; b=2');
  assert.equal(head.host, 'example.com');
  assert.equal(head['transfer-encoding'], 'chunked');
  assert.equal(head['x-forwarded-proto'], 'https');
  assert.deepEqual(
    Object.keys(head).filter((name) => name.startsWith(':')),
    [],
  );
});

test('a gateway gets one cookie line', async (t) => {
  const world = await makeGatewayWorld(t);
  const site = await secure(t, world.served);
  const answered = askHttp2(await site.http2(), { ':path': '/', cookie: ['a=1', 'b=2'] });
  const { environ, thread } = await world.gateway.nextFrame();
  assert.equal(environ.HTTP_COOKIE, 'a=1; b=2');
  assert.equal(environ.HTTP_HOST, `localhost:${site.port}`);
  thread.answer();
  await answered;
});

test('a body that is too large, announced or not, is answered with 413', async (t) => {
  const world = await makeGatewayWorld(t, { settings: { maxBodyBytes: 1000 } });
  const site = await secure(t, world.served);
  const session = await site.http2();
  const body = randomBytes(100_000);
  for (const more of [{}, { 'content-length': String(body.length) }]) {
    const answer = await askHttp2(session, { ':method': 'POST', ':path': '/', ...more }, body);
    assert.deepEqual([answer.status, answer.code], [413, 0]);
  }
  assert.equal(world.requests.length, 0);
});

test('a body that comes too slowly is answered with 408, and its stream is given up', async (t) => {
  const world = await makeGatewayWorld(t, { settings: { bodyIdleTimeoutMs: 50 } });
  const site = await secure(t, world.served);
  const stream = (await site.http2()).request({ ':method': 'POST', ':path': '/' });
  stream.write('some');
  const answer = await answerOf(stream);
  assert.deepEqual([answer.status, answer.code], [408, 0]);
});

test('a body that is streamed and stalls is answered with 408, and frees the application', async (t) => {
  const upstream = createServer(() => {});
  const { server, path } = await serveUpstream(t, (request) => upstream.emit('request', request));
  const asked = once(server, 'request');
  const world = await makeHttpWorld(t, path, { settings: { bodyIdleTimeoutMs: 50 } });
  const site = await secure(t, world.served);
  const stream = (await site.http2()).request({ ':method': 'POST', ':path': '/' });
  stream.write('some');
  await asked;
  const answer = await answerOf(stream);
  assert.deepEqual([answer.status, answer.code], [408, 0]);
  await world.until(() => world.client.inFlight === 0, 'none in flight');
});

test('a body that breaks off is no whole one, however the client ends it', async (t) => {
  const world = await makeGatewayWorld(t, { settings: { bodyMemoryBytes: 100 } });
  const site = await secure(t, world.served);
  for (const code of [0, 8]) {
    const raw = await site.rawHttp2();
    raw.send(
      frameType.headers,
      endHeaders,
      1,
      encodeFields([
        [':method', 'POST'],
        [':scheme', 'https'],
        [':authority', 'localhost'],
        [':path', '/'],
      ]),
    );
    raw.send(frameType.data, 0, 1, Buffer.alloc(1000));
    raw.send(frameType.reset, 0, 1, Buffer.from([0, 0, 0, code]));
    await world.served.log.until(() => world.served.log.accessRecords.length > 0, 'the access record');
    assert.equal(world.served.log.accessRecords.pop()?.status, 499);
  }
  assert.equal(world.requests.length, 0);
  await eventually(() => assert.deepEqual(readdirSync(world.spoolFolder), []));
});

test('what was answered before its body came is not waited for', async (t) => {
  const exchanges: Exchange[] = [];
  const site = await serveSecureFront(t, [
    (exchange) => {
      exchanges.push(exchange);
      if (exchange.method === 'POST') exchange.respond(405, [], 'no');
      else exchange.respond(204, []);
      return true;
    },
  ]);
  const raw = await site.rawHttp2();
  raw.send(
    frameType.headers,
    endHeaders,
    1,
    encodeFields([
      [':method', 'POST'],
      [':scheme', 'https'],
      [':authority', 'localhost'],
      [':path', '/'],
    ]),
  );
  const reset = await raw.until(({ type }) => type === frameType.reset);
  assert.equal(reset.payload.readUInt32BE(), 0);
  assert.ok(raw.frames.some(({ type, flags }) => type === frameType.data && flags === endStream));
  raw.send(frameType.headers, endHeaders, 3, getFields('/'));
  await raw.until(({ type, stream }) => type === frameType.reset && stream === 3);
  assert.ok(raw.frames.some(({ type, stream }) => type === frameType.headers && stream === 3));
});

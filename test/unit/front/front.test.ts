import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Exchange, Handler } from '../../../src/front/exchange.js';
import { RequestIds } from '../../../src/front/front.js';
import { eventually } from '../../support/eventually.js';
import { serveFront } from '../../support/serve-front.js';

/** Answers with the path. */
const echo: Handler = (exchange) => {
  exchange.respond(200, [], `[${exchange.path}]`);
  return true;
};

function get(path: string, ...headers: readonly string[]): string {
  return [`GET ${path} HTTP/1.1`, 'Host: h', ...headers, '\r\n'].join('\r\n');
}

/** Keeps the exchanges until the test answers them. */
function holdInto(exchanges: Exchange[]): Handler {
  return (exchange) => exchanges.push(exchange) > 0;
}

test('keep-alive: one connection, request after request', async (t) => {
  const served = await serveFront(t, [echo]);
  const connection = await served.connect();
  for (const path of ['/1', '/2', '/3']) {
    connection.send(get(path));
    await connection.readUntil(`[${path}]`);
  }
  assert.equal(served.front.connections, 1);
});

test('pipelined requests are handled one after the other, and answered in their order', async (t) => {
  const exchanges: Exchange[] = [];
  const served = await serveFront(t, [holdInto(exchanges)]);
  const connection = await served.connect();
  connection.send(get('/1') + get('/2') + get('/3', 'Connection: close'));
  for (const path of ['/1', '/2', '/3']) {
    await eventually(() => assert.equal(exchanges.at(-1)?.path, path));
    const exchange = exchanges.at(-1);
    assert.ok(exchange);
    echo(exchange);
  }
  const text = await connection.readToEnd();
  assert.deepEqual(text.match(/\[\/\d\]/g), ['[/1]', '[/2]', '[/3]']);
});

test('of pipelined requests whose client has left only the one under way was begun', async (t) => {
  const exchanges: Exchange[] = [];
  const served = await serveFront(t, [holdInto(exchanges)]);
  const connection = await served.connect();
  connection.send(get('/1') + get('/2'));
  await eventually(() => assert.equal(exchanges.length, 1));
  connection.reset();
  await served.log.until(() => served.log.accessRecords.length === 1, 'the access record');
  assert.equal(exchanges.length, 1);
});

test('the first handler that takes a request answers it; else it is a 404 page', async (t) => {
  const never: Handler = () => false;
  const only: Handler = (exchange) => exchange.path === '/here' && echo(exchange);
  const served = await serveFront(t, [never, only]);
  assert.match(await served.exchange(get('/here', 'Connection: close')), /\[\/here\]$/);
  assert.match(await served.exchange(get('/there', 'Connection: close')), /^HTTP\/1\.1 404 /);
});

test('a handler that throws is a 500 page and a line in the log; the site goes on', async (t) => {
  const served = await serveFront(t, [
    (exchange) => {
      if (exchange.path === '/late') exchange.response.flushHeaders();
      if (exchange.path !== '/fine') throw new Error('a bug');
      return echo(exchange);
    },
  ]);
  assert.match(await served.exchange(get('/early', 'Connection: close')), /^HTTP\/1\.1 500 /);
  assert.doesNotMatch(await served.exchange(get('/late', 'Connection: close')), /\r\n0\r\n\r\n/);
  assert.match(await served.exchange(get('/fine', 'Connection: close')), /\[\/fine\]$/);
  assert.equal(served.log.all('handler-failed').length, 2);
});

test('HTTP/1.0 is answered, and its connection closed', async (t) => {
  const served = await serveFront(t, [echo]);
  const text = await served.exchange('GET /old HTTP/1.0\r\n\r\n');
  assert.match(text, /^HTTP\/1\.1 200 OK\r\n/);
  assert.match(text, /\r\nConnection: close\r\n/);
});

test('a request to upgrade is an ordinary one', async (t) => {
  const served = await serveFront(t, [echo]);
  const connection = await served.connect();
  const upgrade = ['Connection: Upgrade', 'Upgrade: websocket', 'Sec-WebSocket-Key: x'];
  connection.send(get('/chat', ...upgrade));
  assert.match(await connection.readUntil('[/chat]'), /^HTTP\/1\.1 200 OK\r\n/);
});

test('OPTIONS * asks whether the server is there', async (t) => {
  const served = await serveFront(t, [() => assert.fail('not for the application')]);
  const text = await served.exchange('OPTIONS * HTTP/1.1\r\nHost: h\r\nConnection: close\r\n\r\n');
  assert.match(text, /^HTTP\/1\.1 204 No Content\r\n/);
});

test('CONNECT is refused: this is no proxy', async (t) => {
  const served = await serveFront(t, [echo]);
  const connect = 'CONNECT example.com:443 HTTP/1.1\r\nHost: example.com:443\r\n\r\n';
  assert.match(await served.exchange(connect), /^HTTP\/1\.1 501 Not Implemented\r\nConnection: close\r\n/);
  const text = await served.exchange(get('/first') + connect);
  assert.match(text, /\[\/first\]/);
});

test('CONNECT behind a request that is under way waits for its answer', async (t) => {
  const exchanges: Exchange[] = [];
  const served = await serveFront(t, [holdInto(exchanges)]);
  const connection = await served.connect();
  connection.send(`${get('/slow')}CONNECT a:1 HTTP/1.1\r\nHost: a:1\r\n\r\n`);
  await eventually(() => assert.equal(exchanges.length, 1));
  const [exchange] = exchanges;
  assert.ok(exchange);
  echo(exchange);
  const text = await connection.readToEnd();
  assert.match(text, /^HTTP\/1\.1 200 OK\r\n[\s\S]*\[\/slow\]$/);
});

const targets: [line: string, status: number][] = [
  ['GET http://h/a HTTP/1.1', 200],
  ['GET http://other/a HTTP/1.1', 200],
  ['GET * HTTP/1.1', 400],
  ['GET ftp://h/a HTTP/1.1', 400],
];
for (const [line, status] of targets) {
  test(`the target of ${line}`, async (t) => {
    const served = await serveFront(t, [echo]);
    const text = await served.exchange(`${line}\r\nHost: h\r\nConnection: close\r\n\r\n`);
    assert.match(text, new RegExp(`^HTTP/1\\.1 ${status} `));
  });
}

const refused: [what: string, bytes: string, status: RegExp][] = [
  ['no HTTP at all', 'hello\r\n\r\n', /^HTTP\/1\.1 400 Bad Request\r\n/],
  ['no Host', 'GET / HTTP/1.1\r\n\r\n', /^HTTP\/1\.1 400 /],
  [
    'both lengths',
    'POST / HTTP/1.1\r\nHost: h\r\nContent-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n',
    /^HTTP\/1\.1 400 /,
  ],
  [
    'two lengths',
    'POST / HTTP/1.1\r\nHost: h\r\nContent-Length: 5\r\nContent-Length: 6\r\n\r\nhello',
    /^HTTP\/1\.1 400 /,
  ],
  [
    'headers that are too large',
    get('/', `X-Large: ${'x'.repeat(20_000)}`),
    /^HTTP\/1\.1 431 Request Header Fields Too Large\r\n/,
  ],
];
for (const [what, bytes, status] of refused) {
  test(`${what}: refused, and what follows is not read`, async (t) => {
    const seen: string[] = [];
    const served = await serveFront(t, [(exchange) => seen.push(exchange.path) > 0 && echo(exchange)]);
    const text = await served.exchange(bytes + get('/smuggled'));
    assert.match(text, status);
    assert.match(text, /\r\nConnection: close\r\n/i);
    assert.ok(!seen.includes('/smuggled'));
  });
}

const chunkedHead = 'POST / HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: chunked\r\n\r\n';

for (const chunk of ['nonsense', 'ffffffffffffffff', '8000001']) {
  test(`a bad chunk in a body that is being read: ${chunk}`, async (t) => {
    const exchanges: Exchange[] = [];
    const served = await serveFront(t, [holdInto(exchanges)]);
    const connection = await served.connect();
    connection.send(chunkedHead);
    await eventually(() => assert.equal(exchanges.length, 1));
    connection.send(`${chunk}\r\n${get('/smuggled')}`);
    assert.match(await connection.readToEnd(), /^HTTP\/1\.1 4(?:00 Bad Request|13 Payload Too Large)\r\n/);
    assert.equal(exchanges.length, 1);
  });

  test(`a bad chunk that comes with the head of its request: ${chunk}`, async (t) => {
    const exchanges: Exchange[] = [];
    const served = await serveFront(t, [holdInto(exchanges)]);
    const text = await served.exchange(`${chunkedHead}${chunk}\r\n${get('/smuggled')}`);
    assert.match(text, /^HTTP\/1\.1 4(?:00 Bad Request|13 Payload Too Large)\r\n/);
    assert.equal(exchanges.length, 0);
  });
}

test('bad bytes behind a whole request do not take its answer away', async (t) => {
  const exchanges: Exchange[] = [];
  const served = await serveFront(t, [holdInto(exchanges)]);
  const connection = await served.connect();
  connection.send(`${get('/good')}nonsense\r\n\r\n`);
  await eventually(() => assert.equal(exchanges.length, 1));
  const [exchange] = exchanges;
  assert.ok(exchange);
  echo(exchange);
  const text = await connection.readToEnd();
  assert.match(text, /^HTTP\/1\.1 200 OK\r\n/);
  assert.equal(text.match(/HTTP\/1\.1/g)?.length, 1);
});

test('a client that takes too long over its headers', async (t) => {
  const served = await serveFront(t, [echo], { headerTimeoutMs: 100 });
  const connection = await served.connect();
  connection.send('GET / HTTP/1.1\r\nHost: h\r\n');
  assert.match(await connection.readToEnd(), /^HTTP\/1\.1 408 Request Timeout\r\n/);
});

test('an idle connection is closed after its time', async (t) => {
  const served = await serveFront(t, [echo], { keepAliveTimeoutMs: 50 });
  const connection = await served.connect();
  connection.send(get('/'));
  await connection.readToEnd();
  await eventually(() => assert.equal(served.front.connections, 0));
});

test('new settings and handlers hold for the requests that follow, also on old connections', async (t) => {
  const served = await serveFront(t, [echo]);
  const connection = await served.connect();
  connection.send(get('/1'));
  await connection.readUntil('[/1]');
  const after: Handler = (exchange) => {
    exchange.respond(200, [], `after ${exchange.path} ${exchange.client.address}`);
    return true;
  };
  served.configure([after], { trustedProxies: ['127.0.0.1'], maxHeaderBytes: 1024 });
  connection.send(get('/2', 'X-Forwarded-For: 192.0.2.1'));
  await connection.readUntil('after /2 192.0.2.1');
  assert.match(await served.exchange(get('/', `X: ${'x'.repeat(2000)}`)), /^HTTP\/1\.1 431 /);
});

test('the access record', async (t) => {
  const served = await serveFront(t, [
    (exchange) => {
      served.clock.advance(12);
      exchange.respond(201, [], 'four');
      return true;
    },
  ]);
  const text = await served.exchange('POST /a?b=c HTTP/1.1\r\nHost: h\r\nConnection: close\r\n\r\n');
  const requestId = /X-Request-ID: (\S+)/.exec(text)?.[1];
  await served.log.until(() => served.log.accessRecords.length === 1, 'the access record');
  assert.deepEqual(served.log.accessRecords, [
    {
      ...{ method: 'POST', path: '/a?b=c', status: 201, bytes: 4, durationMs: 12, client: '127.0.0.1' },
      requestId,
    },
  ]);
});

test('the access record of a HEAD has no bytes; of a client that left, status 499', async (t) => {
  const exchanges: Exchange[] = [];
  const served = await serveFront(t, [
    (exchange) => (exchange.method === 'HEAD' ? echo(exchange) : exchanges.push(exchange) > 0),
  ]);
  await served.exchange('HEAD / HTTP/1.1\r\nHost: h\r\nConnection: close\r\n\r\n');
  const connection = await served.connect();
  connection.send(get('/'));
  await eventually(() => assert.equal(exchanges.length, 1));
  connection.reset();
  await served.log.until(() => served.log.accessRecords.length === 2, 'both access records');
  assert.deepEqual(
    served.log.accessRecords.map(({ status, bytes }) => [status, bytes]),
    [
      [200, 0],
      [499, 0],
    ],
  );
});

test('no access records where they are switched off', async (t) => {
  const served = await serveFront(t, [echo], { accessLog: false });
  await served.exchange(get('/', 'Connection: close'));
  await eventually(() => assert.equal(served.front.connections, 0));
  assert.deepEqual(served.log.accessRecords, []);
});

test('every id is new, and no two fronts share one', () => {
  const [one, other] = [new RequestIds(), new RequestIds()];
  const ids = Array.from({ length: 1000 }, () => [one.next(), other.next()]).flat();
  assert.equal(new Set(ids).size, 2000);
  for (const id of ids) assert.match(id, /^[0-9a-f]{10}-[0-9a-z]+$/);
});

test('what a trusted proxy calls it is taken over where it is harmless', () => {
  const ids = new RequestIds();
  assert.equal(ids.next('Ab-1_2.3'), 'Ab-1_2.3');
  for (const given of ['', 'a b', 'a\u001b[0m', 'a"', 'ä', 'x'.repeat(65)]) {
    assert.notEqual(ids.next(given), given);
  }
  assert.match(ids.next(['a', 'b']), /^[0-9a-f]{10}-/);
});

import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Exchange, Handler } from '../../../../src/front/exchange.js';
import { collectWarnings } from '../../../support/collect-warnings.js';
import { eventually } from '../../../support/eventually.js';
import { serveFront } from '../../../support/serve-front.js';

const h2c =
  'Connection: Upgrade, HTTP2-Settings\r\nUpgrade: h2c\r\nHTTP2-Settings: AAMAAABkAARAAAAAAAIAAAAA\r\n';
const webSocket =
  'GET /ws HTTP/1.1\r\nHost: h\r\nConnection: keep-alive, Upgrade\r\nUpgrade: WebSocket\r\nSec-WebSocket-Version: 13\r\n\r\n';

const echo: Handler = (exchange) => {
  let body = '';
  exchange.request.on('data', (piece) => {
    body += piece;
  });
  exchange.request.on('end', () => {
    const { method, path, query, isUpgrade } = exchange;
    const { upgrade, connection } = exchange.request.headers;
    exchange.respond(200, [], JSON.stringify({ method, path, query, isUpgrade, upgrade, connection, body }));
  });
  return true;
};

test('a request for another protocol is a plain one, again and again on its connection', async (t) => {
  const warnings = collectWarnings(t);
  const served = await serveFront(t, [echo]);
  const client = await served.connect();
  for (let round = 0; round < 15; round += 1) {
    client.forget();
    client.send(`GET /a?b HTTP/1.1\r\nHost: h\r\n${h2c}\r\n`);
    const text = await client.readUntil('"}');
    assert.match(text, /^HTTP\/1\.1 200 OK\r\n/);
    assert.match(
      text,
      /\{"method":"GET","path":"\/a","query":"b","isUpgrade":false,"connection":"","body":""\}$/,
    );
  }
  assert.equal(served.front.connections, 1);
  assert.deepEqual(warnings, []);
});

test('also with a body, of a length or in chunks, and one that comes later', async (t) => {
  const served = await serveFront(t, [echo]);
  const client = await served.connect();
  client.send(`POST / HTTP/1.1\r\nHost: h\r\n${h2c}Content-Length: 5\r\n\r\nhello`);
  assert.match(await client.readUntil('"}'), /"body":"hello"/);
  client.forget();
  client.send(`POST / HTTP/1.1\r\nHost: h\r\n${h2c}Transfer-Encoding: chunked\r\n\r\n5\r\nhel`);
  client.send('lo\r\n0\r\n\r\n');
  assert.match(await client.readUntil('"}'), /"body":"hello"/);
  client.forget();
  client.send(`POST / HTTP/1.1\r\nHost: h\r\n${h2c}Content-Length: 100000\r\n\r\n`);
  client.send('x'.repeat(100_000));
  assert.match(await client.readUntil('"}'), /"body":"x{100000}"/);
});

test('a WebSocket that nobody takes gets its answer, and the connection ends', async (t) => {
  const served = await serveFront(t, []);
  const text = await served.exchange(webSocket);
  assert.match(text, /^HTTP\/1\.1 404 Not Found\r\n/);
  assert.match(text, /\r\nConnection: close\r\n/);
  assert.match(text, /<\/html>\n$/);
  assert.deepEqual(
    served.log.accessRecords.map(({ path, status }) => [path, status]),
    [['/ws', 404]],
  );
});

test('a request with a method or version that WebSockets do not have is a plain one', async (t) => {
  const served = await serveFront(t, [echo]);
  for (const line of ['POST /ws HTTP/1.1', 'GET /ws HTTP/1.0']) {
    const client = await served.connect();
    client.send(webSocket.replace('GET /ws HTTP/1.1', line));
    assert.match(await client.readUntil('"}'), /"isUpgrade":false/);
  }
});

for (const [what, upgrade] of [
  ['a WebSocket', webSocket],
  ['another protocol', `GET /ws HTTP/1.1\r\nHost: h\r\n${h2c}Connection: close\r\n\r\n`],
] as const) {
  test(`a request for ${what} behind others waits for their answers`, async (t) => {
    const waiting: Exchange[] = [];
    const served = await serveFront(t, [
      (exchange) => {
        waiting.push(exchange);
        return true;
      },
    ]);
    const client = await served.connect();
    client.send(`GET /1 HTTP/1.1\r\nHost: h\r\n\r\nGET /2 HTTP/1.1\r\nHost: h\r\n\r\n${upgrade}`);
    for (const path of ['/1', '/2', '/ws']) {
      await eventually(() => assert.equal(waiting.at(-1)?.path, path));
      waiting.at(-1)?.respond(200, [], `answer to ${path}.`);
    }
    const text = await client.readToEnd();
    assert.deepEqual(text.match(/answer to [^.]+\./g), ['answer to /1.', 'answer to /2.', 'answer to /ws.']);
  });
}

test('a client that leaves before the answers that its upgrade waits for', async (t) => {
  const waiting: Exchange[] = [];
  const served = await serveFront(t, [
    (exchange) => {
      waiting.push(exchange);
      return true;
    },
  ]);
  for (const upgrade of [webSocket, `GET / HTTP/1.1\r\nHost: h\r\n${h2c}\r\n`]) {
    const client = await served.connect();
    client.send(`GET /1 HTTP/1.1\r\nHost: h\r\n\r\n${upgrade}`);
    await eventually(() => assert.equal(waiting.length, 1));
    client.reset();
    await eventually(() => assert.equal(served.front.connections, 0));
    assert.equal(waiting.pop()?.response.destroyed, true);
  }
  assert.deepEqual(waiting, []);
});

test('an upgrade behind an answer that closes the connection is dropped', async (t) => {
  const served = await serveFront(t, [echo]);
  const text = await served.exchange(`GET /1 HTTP/1.1\r\nHost: h\r\nConnection: close\r\n\r\n${webSocket}`);
  assert.equal(text.split('HTTP/1.1 200').length, 2);
});

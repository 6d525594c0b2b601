import assert from 'node:assert/strict';
import { once } from 'node:events';
import type { IncomingMessage } from 'node:http';
import { test } from 'node:test';
import type { AppRequest } from '../../../../src/front/upstream/app-request.js';
import { eventually } from '../../../support/eventually.js';
import { makeHttpWorld, serveUpstream } from '../../../support/http-world.js';
import { serveRawUpstream } from '../../../support/raw-upstream.js';
import { makeWebSocketWorld } from '../../../support/web-socket.js';

const upgrade =
  'GET /ws HTTP/1.1\r\nHost: h\r\nConnection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Version: 13\r\n' +
  'Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n';

test('the application refuses: its answer goes out as any other', async (t) => {
  const sockets = await makeWebSocketWorld(t);
  sockets.server.options.verifyClient = (_info, done) => done(false, 403, 'not you', { 'X-Why': 'so' });
  const client = sockets.client();
  const [, response] = (await once(client, 'unexpected-response')) as [unknown, IncomingMessage];
  let body = '';
  for await (const piece of response) body += piece;
  assert.deepEqual([response.statusCode, response.headers['x-why'], body], [403, 'so', 'not you']);
  assert.equal(response.headers['x-request-id'], sockets.world.requests[0]?.id);
  const { world } = sockets;
  await world.until(() => world.client.inFlight === 0, 'over');
  await eventually(() => assert.equal(world.served.front.connections, 0));
  assert.deepEqual(
    world.served.log.accessRecords.map(({ status, bytes }) => [status, bytes]),
    [[403, 7]],
  );
  assert.equal(world.client.streams, 0);
});

test('an application that knows no WebSockets answers the plain request', async (t) => {
  const { path } = await serveUpstream(t, (_request, response) => void response.end('plain'));
  const world = await makeHttpWorld(t, path);
  const text = await world.served.exchange(upgrade);
  assert.match(text, /^HTTP\/1\.1 200 OK\r\n[\s\S]*plain$/);
  assert.equal(world.client.inFlight, 0);
});

test('a refusal in pieces that breaks off is seen as cut', async (t) => {
  const upstream = await serveRawUpstream(t);
  const world = await makeHttpWorld(t, upstream.path);
  const client = await world.served.connect();
  client.send(upgrade);
  const connection = await upstream.connection(0);
  await connection.readUntil('\r\n\r\n');
  connection.send('HTTP/1.1 403 Forbidden\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nno,\r\n');
  await client.readUntil('no,');
  connection.close();
  assert.doesNotMatch(await client.readToEnd(), /0\r\n\r\n$/);
});

test('no server, and one that closes without an answer: the request is lost, and can still be answered', async (t) => {
  const upstream = await serveRawUpstream(t);
  for (const path of ['/there/is/no/such.sock', upstream.path]) {
    const world = await makeHttpWorld(t, path);
    const client = await world.served.connect();
    client.send(upgrade);
    if (path === upstream.path) {
      (await upstream.connection(0)).close();
      await world.untilLost(1);
    }
    const failed = (): readonly AppRequest[] => [...world.lost, ...world.unsent];
    await world.until(() => failed().length === 1, 'lost');
    assert.deepEqual([client.text, world.client.inFlight], ['', 0]);
    const [request] = failed();
    assert.equal(request?.takeRetry(), true);
    request?.fail('upstream-died');
    assert.match(await client.readToEnd(), /^HTTP\/1\.1 502 Bad Gateway\r\n[\s\S]*<\/html>\n$/);
    assert.equal(world.served.log.accessRecords.at(-1)?.status, 502);
  }
});

test('after a lost attempt the WebSocket opens on the next one, with all that the client has sent', async (t) => {
  const upstream = await serveRawUpstream(t);
  const world = await makeHttpWorld(t, upstream.path);
  const client = await world.served.connect();
  client.send(`${upgrade}early`);
  (await upstream.connection(0)).close();
  await world.untilLost(1);
  const [request] = world.lost;
  assert.ok(request);
  assert.equal(request.takeRetry(), true);
  world.client.send(request);
  const second = await upstream.connection(1);
  await second.readUntil('\r\n\r\n');
  second.send('HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\r\nhello');
  assert.match(await second.readUntil('early'), /\r\n\r\nearly$/);
  assert.match(await client.readUntil('hello'), /\r\n\r\nhello$/);
});

for (const reason of ['queue-full', 'queue-timeout', 'unavailable', 'stopping'] as const) {
  test(`a WebSocket that gets no place (${reason}) gets a 503 page`, async (t) => {
    const world = await makeHttpWorld(t, '/not/used.sock');
    world.client.send = (request) => request.fail(reason);
    assert.match(await world.served.exchange(upgrade), /^HTTP\/1\.1 503 Service Unavailable\r\n/);
  });
}

test('a server that does not answer: a 504 page, and its connection is closed', async (t) => {
  const upstream = await serveRawUpstream(t);
  const world = await makeHttpWorld(t, upstream.path);
  const client = await world.served.connect();
  client.send(upgrade);
  const connection = await upstream.connection(0);
  const [running] = [...world.client.requests()];
  assert.equal(running?.request.isWaiting, true);
  running?.request.fail('stuck');
  assert.match(await client.readToEnd(), /^HTTP\/1\.1 504 /);
  await connection.readToEnd();
  assert.equal(world.client.inFlight, 0);
});

for (const way of ['close', 'reset', 'halfClose'] as const) {
  test(`a client that leaves before its WebSocket is open (${way})`, async (t) => {
    const upstream = await serveRawUpstream(t);
    const world = await makeHttpWorld(t, upstream.path);
    const client = await world.served.connect();
    client.send(upgrade);
    const connection = await upstream.connection(0);
    await connection.readUntil('\r\n\r\n');
    client[way]();
    await connection.readToEnd();
    await world.until(() => world.client.inFlight === 0, 'over');
    assert.deepEqual([world.lost.length, world.client.finished], [0, 1]);
  });
}

for (const way of ['close', 'reset', 'halfClose'] as const) {
  test(`a client that leaves its WebSocket (${way}), of which the application takes no notice`, async (t) => {
    const upstream = await serveRawUpstream(t);
    const world = await makeHttpWorld(t, upstream.path);
    const client = await world.served.connect();
    client.send(upgrade);
    const connection = await upstream.connection(0);
    await connection.readUntil('\r\n\r\n');
    connection.send('HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\r\n');
    await client.readUntil('\r\n\r\n');
    client.send('last words');
    client[way]();
    // The other end stays open, for the application does not close it.
    await world.until(() => world.client.inFlight === 0, 'over');
    await eventually(() => assert.equal(world.served.front.connections, 0));
    if (way !== 'reset') assert.match(await connection.readToEnd(), /last words$/);
  });
}

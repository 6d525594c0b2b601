import assert from 'node:assert/strict';
import { once } from 'node:events';
import { type TestContext, test } from 'node:test';
import type { WebSocket, WebSocketServer } from 'ws';
import { collectWarnings } from '../../../support/collect-warnings.js';
import { eventually } from '../../../support/eventually.js';
import type { HttpWorld } from '../../../support/http-world.js';
import { closed, makeWebSocketWorld, nextMessage, type WebSocketWorld } from '../../../support/web-socket.js';

test('messages, pings and pongs in both directions', async (t) => {
  const pair = await (await makeWebSocketWorld(t)).open();
  for (const [from, to] of [
    [pair.client, pair.application],
    [pair.application, pair.client],
  ] as const) {
    const text = nextMessage(to);
    from.send('grüß dich');
    assert.deepEqual(await text, { data: Buffer.from('grüß dich'), isBinary: false });
    const binary = nextMessage(to);
    from.send(Buffer.from([0, 255, 13, 10]));
    assert.deepEqual(await binary, { data: Buffer.from([0, 255, 13, 10]), isBinary: true });
    const pinged = once(to, 'ping');
    const ponged = once(from, 'pong');
    from.ping('there?');
    assert.equal(String((await pinged)[0]), 'there?');
    assert.equal(String((await ponged)[0]), 'there?');
  }
});

test('codes and reasons of a close in both directions', async (t) => {
  const { world, open } = await makeWorld(t);
  for (const [code, reason] of [
    [1000, ''],
    [1001, 'going away'],
    [4000, 'grüße'],
  ] as const) {
    for (const side of ['client', 'application'] as const) {
      const pair = await open();
      const other = side === 'client' ? pair.application : pair.client;
      const seen = closed(other);
      pair[side].close(code, reason);
      assert.deepEqual(await seen, { code, reason });
      await world.until(() => world.client.inFlight === 0, 'over');
    }
  }
});

test('the request as the application gets it, and its answer', async (t) => {
  const sockets = await makeWebSocketWorld(t, { settings: { trustedProxies: [] } });
  const asked = once(sockets.server, 'connection');
  const client = sockets.client({ headers: { 'X-Forwarded-For': '203.0.113.9', A_B: 'c', Cookie: 'd=e' } }, [
    'chat',
    'x',
  ]);
  const [response] = await once(client, 'upgrade');
  const [, request] = await asked;
  assert.equal(request.url, '/socket?a=b');
  assert.equal(request.headers['x-forwarded-for'], '127.0.0.1');
  assert.equal(request.headers.a_b, undefined);
  assert.equal(request.headers.cookie, 'd=e');
  assert.equal(response.headers['x-request-id'], request.headers['x-request-id']);
  assert.equal(client.protocol, 'chat');
});

test('compressed messages', async (t) => {
  const { open } = await makeWorld(t, { perMessageDeflate: true });
  const { client, application } = await open({ perMessageDeflate: true });
  assert.equal(client.extensions, 'permessage-deflate');
  const text = nextMessage(application);
  client.send('x'.repeat(100_000));
  assert.equal((await text).data.length, 100_000);
});

test('a frame that comes together with the request, or with its answer', async (t) => {
  const { world } = await makeWorld(t, {}, (socket) => {
    socket.send('at once');
    socket.on('message', (data) => socket.send(data));
  });
  const raw = await world.served.connect();
  const masked = Buffer.from([0x81, 0x82, 0, 0, 0, 0, 0x68, 0x69]);
  const head =
    'GET / HTTP/1.1\r\nHost: h\r\nConnection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Version: 13\r\n' +
    'Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n';
  raw.send(Buffer.concat([Buffer.from(head), masked]));
  assert.ok((await raw.readUntil('\x02hi')).endsWith('\r\n\r\n\x81\x07at once\x82\x02hi'));
});

test('a large message whose reader is slow stays with its sender', async (t) => {
  const { world, open } = await makeWorld(t);
  const { client, application } = await open();
  for (const [from, to] of [
    [client, application],
    [application, client],
  ] as const) {
    to.pause();
    const message = Buffer.alloc(20_000_000);
    const arrived = nextMessage(to);
    from.send(message);
    await eventually(() => assert.ok(from.bufferedAmount > 0));
    for (let turn = 0; turn < 500; turn += 1) await new Promise((resolve) => setImmediate(resolve));
    assert.ok(from.bufferedAmount > 15_000_000, `${from.bufferedAmount} bytes are left with the sender`);
    to.resume();
    assert.equal((await arrived).data.length, message.length);
  }
  assert.equal(world.client.streams, 1);
});

test('one side vanishes: the other is told at once, and the front keeps nothing', async (t) => {
  const { world, open } = await makeWorld(t);
  for (const side of ['client', 'application'] as const) {
    const pair = await open();
    const other = side === 'client' ? pair.application : pair.client;
    const seen = closed(other);
    pair[side].terminate();
    assert.deepEqual(await seen, { code: 1006, reason: '' });
    await world.until(() => world.client.inFlight === 0, 'over');
    await eventually(() => assert.equal(world.served.front.connections, 0));
  }
  assert.equal(world.lost.length, 0);
});

test('a client that vanishes with a reset', async (t) => {
  const { world, server } = await makeWorld(t);
  const raw = await world.served.connect();
  const connected = once(server, 'connection');
  raw.send(
    'GET / HTTP/1.1\r\nHost: h\r\nConnection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Version: 13\r\n' +
      'Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n',
  );
  const [application] = await connected;
  await raw.readUntil('\r\n\r\n');
  const seen = closed(application);
  raw.reset();
  assert.equal((await seen).code, 1006);
  await world.until(() => world.client.inFlight === 0, 'over');
});

test('WebSockets take no place from requests, and many leave nothing behind', async (t) => {
  const warnings = collectWarnings(t);
  const { world, open } = await makeWorld(t, { concurrency: 2 });
  const pairs = [];
  for (let count = 1; count <= 30; count += 1) {
    pairs.push(await open());
    assert.deepEqual([world.client.idle, world.client.inFlight, world.client.streams], [2, count, count]);
  }
  for (const { client } of pairs) client.close();
  await world.until(() => world.client.inFlight === 0, 'over');
  assert.deepEqual([world.client.idle, world.client.streams, world.client.finished], [2, 0, 30]);
  assert.deepEqual(warnings, []);
});

test('the access record tells status, bytes and duration', async (t) => {
  const { world, open } = await makeWorld(t);
  const { client, application } = await open();
  const received = nextMessage(client);
  application.send('x'.repeat(1000));
  await received;
  world.served.clock.advance(5000);
  assert.equal(world.served.log.accessRecords.length, 0);
  client.terminate();
  await world.served.log.until(() => world.served.log.accessRecords.length === 1, 'a record');
  const [record] = world.served.log.accessRecords;
  assert.deepEqual([record?.status, record?.path, record?.durationMs], [101, '/socket?a=b', 5000]);
  assert.ok((record?.bytes ?? 0) >= 1000 && (record?.bytes ?? 0) < 1500, `${record?.bytes} bytes`);
});

// Private

async function makeWorld(
  t: TestContext,
  options: Parameters<typeof makeWebSocketWorld>[1] = {},
  onConnection: (socket: WebSocket) => void = () => {},
): Promise<{ world: HttpWorld; server: WebSocketServer; open: WebSocketWorld['open'] }> {
  const sockets = await makeWebSocketWorld(t, options);
  sockets.server.on('connection', onConnection);
  return { world: sockets.world, server: sockets.server, open: sockets.open.bind(sockets) };
}

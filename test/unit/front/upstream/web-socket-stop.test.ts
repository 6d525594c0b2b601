import assert from 'node:assert/strict';
import { test } from 'node:test';
import { eventually } from '../../../support/eventually.js';
import { makeHttpWorld } from '../../../support/http-world.js';
import { serveRawUpstream } from '../../../support/raw-upstream.js';
import { closed, makeWebSocketWorld } from '../../../support/web-socket.js';

test('a stop of the front does not wait for WebSockets', async (t) => {
  const sockets = await makeWebSocketWorld(t);
  const { client } = await sockets.open();
  const { front, clock } = sockets.world.served;
  await front.drain(30_000);
  // The one timer looks at slow readers as long as there are connections.
  assert.deepEqual([front.connections, client.readyState, clock.pending], [1, client.OPEN, 1]);
});

test('a stop of the front waits for a request until it has turned out to be a stream', async (t) => {
  const upstream = await serveRawUpstream(t);
  const world = await makeHttpWorld(t, upstream.path);
  const client = await world.served.connect();
  client.send('GET / HTTP/1.1\r\nHost: h\r\n\r\n');
  const connection = await upstream.connection(0);
  await connection.readUntil('\r\n\r\n');
  let isDrained = false;
  const drained = world.served.front.drain(30_000).then(() => {
    isDrained = true;
  });
  await new Promise((resolve) => setImmediate(() => setImmediate(resolve)));
  assert.equal(isDrained, false);
  connection.send('HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\nTransfer-Encoding: chunked\r\n\r\n');
  await drained;
  assert.equal(world.served.front.connections, 1);
});

test('the front cuts WebSockets that are left at the end', async (t) => {
  const sockets = await makeWebSocketWorld(t);
  const { client, application } = await sockets.open();
  const seen = [closed(client), closed(application)];
  sockets.world.served.front.closeConnections();
  assert.deepEqual(
    (await Promise.all(seen)).map(({ code }) => code),
    [1006, 1006],
  );
});

test('the process ends: its close frame still arrives, and the connection ends', async (t) => {
  const sockets = await makeWebSocketWorld(t);
  const { client, application } = await sockets.open();
  const { world } = sockets;
  const seen = closed(client);
  application.close(1012, 'restart');
  // Whoever waits for close() may cut the client right after it.
  await world.client.close();
  world.served.front.closeConnections();
  assert.deepEqual(await seen, { code: 1012, reason: 'restart' });
  await eventually(() => assert.equal(world.served.front.connections, 0));
  assert.deepEqual([world.client.inFlight, world.client.streams, world.lost.length], [0, 0, 0]);
});

test('the process ends without a word: the connection of the client ends', async (t) => {
  const sockets = await makeWebSocketWorld(t);
  const { client } = await sockets.open();
  const seen = closed(client);
  sockets.world.client.close();
  assert.equal((await seen).code, 1006);
  assert.equal(sockets.world.client.streams, 0);
});

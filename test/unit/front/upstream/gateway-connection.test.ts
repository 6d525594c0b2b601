import assert from 'node:assert/strict';
import { test } from 'node:test';
import { eventually } from '../../../support/eventually.js';
import { makeGatewayWorld } from '../../../support/gateway-world.js';

// What a gateway that is broken, or none, may say. Everything else about connections is in gateway-client.test.

const get = 'GET / HTTP/1.1\r\nHost: h\r\n\r\n';
const plain = '200 OK\0Content-Type\0text/plain';

for (const [what, send] of [
  ['an answer that nobody asked for', 'whole'],
  ['a piece before a beginning', 'piece'],
  ['an end without a beginning', 'end'],
  ['a second hello', 'hello'],
  ['idle without need', 'idle'],
] as const) {
  test(`protocol: ${what} breaks the connection, and is logged`, async (t) => {
    const world = await makeGatewayWorld(t);
    const { gateway, served } = world;
    const [thread] = gateway.threads;
    assert.ok(thread);
    thread.send(send, '200 OK');
    await thread.closed();
    assert.equal((await served.log.seen('gateway-protocol')).fields.thread, 0);
    await gateway.connected(2);
    await world.untilIdle(1);
  });
}

for (const [what, garbage] of [
  ['bytes that are no frame', Buffer.alloc(64, 0xff)],
  ['an unknown kind', Buffer.from([99, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0])],
] as const) {
  test(`protocol: ${what} in place of an answer lose the request`, async (t) => {
    const world = await makeGatewayWorld(t);
    const { gateway, served, lost } = world;
    const connection = await served.connect();
    connection.send(get);
    const { thread } = await gateway.nextFrame();
    thread.socket.write(garbage);
    await world.until(() => lost.length === 1, 'a lost request');
    assert.equal(served.log.all('gateway-protocol').length, 1);
  });
}

test('protocol: a second answer within one cuts the client', async (t) => {
  const { gateway, client, served } = await makeGatewayWorld(t);
  const connection = await served.connect();
  connection.send(get);
  const { thread } = await gateway.nextFrame();
  thread.send('start', plain, 'half');
  thread.send('failed');
  const text = await connection.readToEnd();
  assert.doesNotMatch(text, /\r\n0\r\n\r\n/);
  await eventually(() => assert.deepEqual([client.idle, client.inFlight], [1, 0]));
});

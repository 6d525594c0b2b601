import assert from 'node:assert/strict';
import { once } from 'node:events';
import { type AddressInfo, createServer, type Socket } from 'node:net';
import { type TestContext, test } from 'node:test';
import { AnswerKind, encodeFrame } from '../../../../src/front/upstream/frames.js';
import {
  type ConnectionOwner,
  GatewayConnection,
} from '../../../../src/front/upstream/gateway-connection.js';
import type { GatewayRequest } from '../../../../src/front/upstream/gateway-request.js';
import { eventually } from '../../../support/eventually.js';
import { makeGatewayWorld } from '../../../support/gateway-world.js';

// What a gateway that is broken, or none, may say. Everything else about connections is in gateway-client.test.

const get = 'GET / HTTP/1.1\r\nHost: h\r\n\r\n';
const plain = '200 OK\0Content-Type\0text/plain';
const shown = '0'.repeat(32);
const expected = 'f'.repeat(32);
const secret = shown + expected;

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

test('protocol: an answer while the front opens a file breaks the connection', async (t) => {
  const world = await makeGatewayWorld(t);
  const connection = await world.served.connect();
  connection.send(get);
  const { thread } = await world.gateway.nextFrame();
  const file = encodeFrame(AnswerKind.file, 0, plain, Buffer.from('/nowhere\x000\x001\x001\x001'));
  thread.socket.write(Buffer.concat([file, encodeFrame(AnswerKind.whole, 0, plain)]));
  await thread.closed();
  assert.equal(world.served.log.all('gateway-protocol').length, 1);
});

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

for (const { hello, outcome } of [
  { hello: `3\0${expected}`, outcome: 'hello of 3' },
  ...[
    '3',
    '3\0',
    ...[shown, expected.slice(1), `${expected}f`, 'ÿ'.repeat(32)].map((half) => `3\0${half}`),
  ].map((hello) => ({ hello, outcome: 'a hello without the secret' })),
]) {
  test(`over TCP, a gateway that says ${JSON.stringify(hello)}: ${outcome}`, async (t) => {
    const { address, peer } = await listenOnce(t);
    const heard = new Promise<string>((resolve) => {
      const owner: Partial<ConnectionOwner<GatewayRequest>> = {
        onHello: ({ thread }) => resolve(`hello of ${thread}`),
        onProtocolError: (_connection, error) => resolve(error.message),
        onBroken: () => {},
      };
      const connection = new GatewayConnection(address, owner as ConnectionOwner<GatewayRequest>);
      t.after(() => connection.close());
    });
    const socket = await peer;
    const [first] = (await once(socket, 'data')) as [Buffer];
    assert.equal(first.toString(), shown);
    socket.write(encodeFrame(AnswerKind.hello, 0, hello));
    assert.equal(await heard, outcome);
  });
}

async function listenOnce(t: TestContext) {
  const server = createServer();
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  t.after(() => server.close());
  const peer = once(server, 'connection').then(([socket]) => {
    t.after(() => (socket as Socket).destroy());
    return socket as Socket;
  });
  const { port } = server.address() as AddressInfo;
  const place = { host: '127.0.0.1', port };
  return { address: { protocol: 'gateway' as const, place, secret }, peer };
}

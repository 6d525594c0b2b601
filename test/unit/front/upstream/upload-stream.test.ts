import assert from 'node:assert/strict';
import { type TestContext, test } from 'node:test';
import { RequestKind } from '../../../../src/front/upstream/frames.js';
import type { Settings } from '../../../../src/settings/settings.js';
import { eventually } from '../../../support/eventually.js';
import type { FakeThread } from '../../../support/fake-gateway.js';
import { type GatewayWorld, makeGatewayWorld } from '../../../support/gateway-world.js';
import type { RawConnection } from '../../../support/raw-connection.js';

interface Upload {
  readonly world: GatewayWorld;
  readonly connection: RawConnection;
  readonly thread: FakeThread;
}

/** An upload whose head has reached the application. */
async function beginUpload(
  t: TestContext,
  length: number,
  changed: Partial<Settings> = {},
  headers: readonly string[] = [],
): Promise<Upload> {
  const world = await makeGatewayWorld(t, { settings: { streamUploads: ['/upload'], ...changed } });
  const connection = await world.served.connect();
  const head = ['POST /upload/a HTTP/1.1', 'Host: h', `Content-Length: ${length}`, ...headers, '\r\n'];
  connection.send(head.join('\r\n'));
  const { thread, kind, environ } = await world.gateway.nextFrame();
  assert.equal(kind, RequestKind.requestStreamed);
  assert.equal(environ.CONTENT_LENGTH, String(length));
  return { world, connection, thread };
}

/** What has arrived of the body, up to its end where that has come. */
async function bodyOf({ gateway }: GatewayWorld): Promise<string> {
  let text = '';
  for (;;) {
    const { kind, body } = await gateway.nextFrame();
    assert.equal(kind, RequestKind.body);
    if (body.length === 0) return text;
    text += body.toString();
  }
}

test('the body follows piece by piece; an empty piece ends it', async (t) => {
  const { world, connection, thread } = await beginUpload(t, 8);
  connection.send('abcd');
  assert.equal((await world.gateway.nextFrame()).body.toString(), 'abcd');
  connection.send('efgh');
  assert.equal(await bodyOf(world), 'efgh');
  thread.answer('done');
  await connection.readUntil('done');
  await world.untilIdle(1);
});

test('an application that answers without reading: the rest is dropped, and the connection goes on', async (t) => {
  const { world, connection, thread } = await beginUpload(t, 8);
  connection.send('abcd');
  await world.gateway.nextFrame();
  thread.answer('enough');
  await connection.readUntil('enough');
  connection.send('efghGET /next HTTP/1.1\r\nHost: h\r\n\r\n');
  const next = await world.gateway.nextFrame();
  assert.deepEqual([next.kind, next.environ.PATH_INFO], [RequestKind.request, '/next']);
});

test('an application that reads slowly holds the client back', async (t) => {
  const length = 40_000_000;
  const { world, connection, thread } = await beginUpload(t, length);
  thread.socket.pause();
  connection.send(Buffer.alloc(length, 'x'));
  const source = world.requests[0]?.exchange.request;
  await eventually(() => assert.equal(source?.isPaused(), true));
  assert.ok((source?.socket.bytesRead ?? 0) < length);
  thread.socket.resume();
  assert.equal((await bodyOf(world)).length, length);
});

test('a client that leaves in the middle of its upload: the application hears of it', async (t) => {
  const { world, connection, thread } = await beginUpload(t, 8);
  connection.send('abcd');
  await world.gateway.nextFrame();
  connection.reset();
  await thread.closed();
  await world.gateway.connected(2);
  await world.untilIdle(1);
  assert.deepEqual(world.lost, []);
});

test('a client that stops in the middle: 408, and the thread is free', async (t) => {
  const { world, connection, thread } = await beginUpload(t, 8, { bodyIdleTimeoutMs: 60 });
  connection.send('abcd');
  assert.match(await connection.readToEnd(), /^HTTP\/1\.1 408 /);
  await thread.closed();
  await world.gateway.connected(2);
  await world.untilIdle(1);
});

test('a process that dies in the middle: the request is lost, and not repeatable', async (t) => {
  const { world, connection, thread } = await beginUpload(t, 8);
  connection.send('abcd');
  await world.gateway.nextFrame();
  thread.die();
  await world.until(() => world.lost.length === 1, 'a lost request');
  assert.equal(world.lost[0]?.takeRetry(), false);
  world.lost[0]?.fail('upstream-died');
  assert.match(await connection.readUntil('</html>'), /^HTTP\/1\.1 502 /);
});

test('close in the middle of an upload leaves the client its answer', async (t) => {
  const { world, connection } = await beginUpload(t, 8);
  connection.send('abcd');
  await world.gateway.nextFrame();
  world.client.close();
  world.lost[0]?.fail('upstream-died');
  await connection.readUntil('</html>\n');
  connection.send('efghGET / HTTP/1.0\r\n\r\n');
  await eventually(() => assert.equal(world.requests.length, 1));
});

test('the client is asked to send when the application is ready', async (t) => {
  const { connection } = await beginUpload(t, 8, {}, ['Expect: 100-continue']);
  await connection.readUntil('HTTP/1.1 100 Continue\r\n\r\n');
});

test('other paths, and chunked bodies, are read whole first', async (t) => {
  const world = await makeGatewayWorld(t, { settings: { streamUploads: ['/upload'] } });
  const connection = await world.served.connect();
  for (const [path, head, body] of [
    ['/other', 'Content-Length: 3', 'abc'],
    ['/upload', 'Transfer-Encoding: chunked', '3\r\nabc\r\n0\r\n\r\n'],
  ]) {
    connection.forget();
    connection.send(`POST ${path} HTTP/1.1\r\nHost: h\r\n${head}\r\n\r\n${body}`);
    const { thread, kind, body: received } = await world.gateway.nextFrame();
    assert.deepEqual([kind, received.toString()], [RequestKind.request, 'abc']);
    thread.answer();
    await connection.readUntil('ok');
  }
});

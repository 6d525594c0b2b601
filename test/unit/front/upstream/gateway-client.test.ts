import assert from 'node:assert/strict';
import { once } from 'node:events';
import { readdir, readFile } from 'node:fs/promises';
import { type IncomingMessage, request } from 'node:http';
import { test } from 'node:test';
import { RequestKind, STAYS_BUSY } from '../../../../src/front/upstream/frames.js';
import { collectWarnings } from '../../../support/collect-warnings.js';
import { eventually } from '../../../support/eventually.js';
import { makeGatewayWorld } from '../../../support/gateway-world.js';

const get = 'GET / HTTP/1.1\r\nHost: h\r\n\r\n';
const getAndClose = 'GET / HTTP/1.1\r\nHost: h\r\nConnection: close\r\n\r\n';
const post = (length: number) => `POST / HTTP/1.1\r\nHost: h\r\nContent-Length: ${length}\r\n\r\n`;
const plain = '200 OK\0Content-Type\0text/plain';

test('a thread is idle from its hello on', async (t) => {
  const { gateway, client, untilIdle } = await makeWorld(t, { threads: 2, isReady: false });
  await gateway.connected(2);
  assert.equal(client.idle, 0);
  gateway.thread(0).send('hello', '0');
  await untilIdle(1);
  gateway.thread(1).send('hello', '1');
  await untilIdle(2);
});

test('the whole of a request, and a whole answer', async (t) => {
  const { gateway, client, served } = await makeWorld(t);
  const connection = await served.connect();
  connection.send(`${post(5)}hello`);
  const { thread, kind, flags, environ, body } = await gateway.nextFrame();
  assert.deepEqual([kind, flags, body.toString()], [RequestKind.request, 0, 'hello']);
  assert.equal(environ.REQUEST_METHOD, 'POST');
  assert.equal(environ.CONTENT_LENGTH, '5');
  assert.deepEqual([client.idle, client.inFlight, client.finished], [0, 1, 0]);
  thread.send('whole', '201 Made\0Content-Type\0text/plain\0Set-Cookie\0a=1\0Set-Cookie\0b=2', 'done');
  const text = await connection.readUntil('done');
  assert.match(text, /^HTTP\/1\.1 201 Made\r\n[\s\S]*X-Request-ID: \S+\r\nContent-Type: text\/plain\r\n/);
  assert.match(text, /Set-Cookie: a=1\r\nSet-Cookie: b=2\r\nContent-Length: 4\r\n/);
  assert.deepEqual([client.idle, client.inFlight, client.finished], [1, 0, 1]);
});

test('the flag that tells whether the application runs in other processes too', async (t) => {
  const { gateway, served } = await makeWorld(t, { isMultiprocess: true });
  const connection = await served.connect();
  connection.send(get);
  assert.equal((await gateway.nextFrame()).flags, 1);
});

test('the thread that was busy last is taken first', async (t) => {
  const { gateway, served } = await makeWorld(t, { threads: 3 });
  const connection = await served.connect();
  const threads = [];
  for (let request = 0; request < 3; request += 1) {
    connection.forget();
    connection.send(get);
    const { thread } = await gateway.nextFrame();
    threads.push(thread);
    thread.answer();
    await connection.readUntil('ok');
  }
  assert.equal(new Set(threads).size, 1);
});

test('an answer in pieces', async (t) => {
  const { gateway, client, served, untilIdle } = await makeWorld(t);
  const connection = await served.connect();
  connection.send(get);
  const { thread } = await gateway.nextFrame();
  thread.send('start', plain, 'one ');
  await connection.readUntil('one ');
  thread.send('piece', '', 'two ');
  await connection.readUntil('two ');
  assert.equal(client.inFlight, 1);
  thread.send('end');
  await connection.readUntil('\r\n0\r\n\r\n');
  await untilIdle(1);
});

test('a head alone is sent at once', async (t) => {
  const { gateway, served } = await makeWorld(t);
  const connection = await served.connect();
  connection.send(get);
  const { thread } = await gateway.nextFrame();
  thread.send('start', plain);
  await connection.readUntil('\r\n\r\n');
  thread.send('end');
  await connection.readUntil('0\r\n\r\n');
});

test('a whole answer that comes in many pieces has its length', async (t) => {
  const { gateway, served } = await makeWorld(t);
  const body = Buffer.alloc(3_000_000, 'x');
  const connection = await served.connect();
  connection.send(getAndClose);
  const { thread } = await gateway.nextFrame();
  thread.send('whole', '200 OK', body);
  const text = await connection.readToEnd();
  assert.match(text, /\r\nContent-Length: 3000000\r\n/);
  assert.ok(text.endsWith(`\r\n\r\n${body}`));
});

test('a whole answer without a body', async (t) => {
  const { gateway, served } = await makeWorld(t);
  const connection = await served.connect();
  connection.send(getAndClose);
  (await gateway.nextFrame()).thread.answer('');
  assert.match(await connection.readToEnd(), /\r\nContent-Length: 0\r\n/);
});

test('an exception before the answer is a 500 page', async (t) => {
  const { gateway, served, untilIdle } = await makeWorld(t);
  const connection = await served.connect();
  connection.send(get);
  (await gateway.nextFrame()).thread.send('failed');
  assert.match(await connection.readUntil('</html>'), /^HTTP\/1\.1 500 Internal Server Error\r\n/);
  await untilIdle(1);
});

test('an exception in mid-answer cuts a chunked body', async (t) => {
  const { gateway, served, untilIdle } = await makeWorld(t);
  const connection = await served.connect();
  connection.send(get);
  const { thread } = await gateway.nextFrame();
  thread.send('start', plain, 'half');
  thread.send('abort');
  const text = await connection.readToEnd();
  assert.match(text, /half/);
  assert.doesNotMatch(text, /\r\n0\r\n\r\n/);
  await untilIdle(1);
});

test('an exception in mid-answer cuts a measured body', async (t) => {
  const { gateway, served } = await makeWorld(t);
  const connection = await served.connect();
  connection.send(get);
  const { thread } = await gateway.nextFrame();
  thread.send('start', `${plain}\0Content-Length\x00100`, 'half');
  thread.send('abort');
  const text = await connection.readToEnd();
  assert.match(text, /\r\nContent-Length: 100\r\n/);
  assert.ok(text.endsWith('half'));
});

test('an exception in mid-answer resets an HTTP/1.0 connection, whose end would pass for the end of the body', async (t) => {
  const { gateway, served } = await makeWorld(t);
  const connection = await served.connect();
  connection.send('GET / HTTP/1.0\r\n\r\n');
  const { thread } = await gateway.nextFrame();
  thread.send('start', plain, 'half');
  await connection.readUntil('half');
  thread.send('abort');
  await connection.readToEnd();
  await eventually(() => assert.equal((connection.error as NodeJS.ErrnoException)?.code, 'ECONNRESET'));
});

test('a thread that stays busy after its answer is idle when it says so', async (t) => {
  const { gateway, client, served, untilIdle } = await makeWorld(t);
  const connection = await served.connect();
  connection.send(get);
  const { thread } = await gateway.nextFrame();
  thread.send('whole', '200 OK', 'ok', STAYS_BUSY);
  await connection.readUntil('ok');
  assert.deepEqual([client.idle, client.inFlight], [0, 0]);
  thread.send('idle');
  await untilIdle(1);
});

test('a connection that breaks before a byte of the answer: the request is lost, and the process out of use', async (t) => {
  const { gateway, client, served, lost, requests, untilIdle, until } = await makeWorld(t, { threads: 2 });
  const connection = await served.connect();
  connection.send(get);
  const { thread } = await gateway.nextFrame();
  gateway.saysHello = false;
  thread.die();
  await until(() => lost.length === 1, 'a lost request');
  assert.equal(lost[0], requests[0]);
  assert.deepEqual([client.idle, client.inFlight], [0, 0], 'the other thread is most likely dying as well');
  const fresh = await gateway.connected(3);
  fresh.send('hello', '0');
  await untilIdle(2);
});

test('a connection that breaks after a byte of the answer cuts the client', async (t) => {
  const { gateway, served, lost } = await makeWorld(t);
  const connection = await served.connect();
  connection.send(get);
  const { thread } = await gateway.nextFrame();
  thread.send('start', plain, 'half');
  await connection.readUntil('half');
  thread.die();
  assert.doesNotMatch(await connection.readToEnd(), /\r\n0\r\n\r\n/);
  assert.deepEqual(lost, []);
});

test('an idle connection that breaks is replaced', async (t) => {
  const { gateway, untilIdle } = await makeWorld(t);
  gateway.thread(0).die();
  await gateway.connected(2);
  await untilIdle(1);
});

test('a gateway that cannot be reached is tried again, until the client is closed', async (t) => {
  const { gateway, client, served } = await makeWorld(t);
  gateway.close();
  await served.log.seen('gateway-refused');
  assert.equal(client.idle, 0);
  served.clock.advance(200);
  await served.log.seen('gateway-refused', 2);
  client.close();
  served.clock.advance(1000);
  assert.equal(served.clock.pending, 0);
});

test('a client that leaves before its answer: the thread is awaited, the answer dropped', async (t) => {
  const { gateway, client, served, requests, untilIdle } = await makeWorld(t);
  const connection = await served.connect();
  connection.send(get);
  const { thread } = await gateway.nextFrame();
  connection.reset();
  await eventually(() => assert.equal(requests[0]?.isAbandoned, true));
  assert.deepEqual([client.idle, client.inFlight, thread.isClosed], [0, 1, false]);
  thread.answer();
  await untilIdle(1);
  assert.equal(gateway.threads.length, 1, 'the connection is kept');
});

test('a client that left before a streamed answer: the answer is broken off', async (t) => {
  const { gateway, served, requests, untilIdle } = await makeWorld(t);
  const connection = await served.connect();
  connection.send(get);
  const { thread } = await gateway.nextFrame();
  connection.reset();
  await eventually(() => assert.equal(requests[0]?.isAbandoned, true));
  thread.send('start', plain, 'the first of many');
  await thread.closed();
  await gateway.connected(2);
  await untilIdle(1);
});

test('a client that leaves in mid-answer: the application hears of it, and the thread comes back', async (t) => {
  const { gateway, client, served, lost, untilIdle } = await makeWorld(t, { threads: 2 });
  const connection = await served.connect();
  connection.send(get);
  const { thread } = await gateway.nextFrame();
  thread.send('start', plain, 'one ');
  await connection.readUntil('one ');
  connection.reset();
  await thread.closed();
  assert.equal(client.idle, 1, 'the other thread goes on');
  await gateway.connected(3);
  await untilIdle(2);
  assert.deepEqual(lost, []);
});

test('where neither memory nor disk has room, a slow client holds the application back, and little of the answer is kept', async (t) => {
  const responseBufferBytes = 200_000;
  const { gateway, served, spool } = await makeWorld(t, {
    settings: { responseBufferBytes },
    buffers: { diskBytes: 400_000 },
  });
  const asked = request(served.socket.url, { agent: false }).end();
  const { thread } = await gateway.nextFrame();
  const piece = Buffer.alloc(50_000, 'x');
  const total = 400;
  let sent = 0;
  let largest = 0;
  const observe = (): void => {
    largest = Math.max(largest, spool.budget.memoryBytes);
  };
  thread.send('start', plain);
  const pump = (): void => {
    for (; sent < total; sent += 1) {
      observe();
      if (thread.socket.writableNeedDrain) {
        thread.socket.once('drain', pump);
        return;
      }
      thread.send('piece', '', piece);
    }
    thread.send('end');
  };
  pump();
  // Nobody reads the body as long as nobody listens.
  const [response] = (await once(asked, 'response')) as [IncomingMessage];
  let sentBefore = -1;
  await eventually(() => {
    observe();
    const isMoving = sentBefore !== sent;
    sentBefore = sent;
    assert.ok(!isMoving && thread.socket.writableNeedDrain, 'held back');
  });
  assert.ok(sent < total, 'the application waits');
  let received = 0;
  response.on('data', ({ length }: Buffer) => {
    received += length;
    observe();
  });
  await once(response, 'end');
  assert.equal(received, total * piece.length);
  assert.ok(largest > 0 && largest <= 2 * responseBufferBytes + 2 * 65_536, `${largest} bytes were kept`);
  await eventually(() => assert.deepEqual([spool.budget.memoryBytes, spool.budget.diskBytes], [0, 0]));
});

test('a slow client and many tiny pieces: one listener waits, not one a piece', async (t) => {
  const warnings = collectWarnings(t);
  const { gateway, served, requests } = await makeWorld(t, { settings: { responseBufferBytes: 1 } });
  const connection = await served.connect();
  connection.pause();
  connection.send(getAndClose);
  const { thread } = await gateway.nextFrame();
  thread.send('start', plain, Buffer.alloc(5_000_000, 'x'));
  await eventually(() => assert.ok(requests[0]?.exchange.response.writableNeedDrain));
  for (let count = 0; count < 500; count += 1) thread.send('piece', '', 'y');
  thread.send('end');
  connection.resume();
  await connection.readToEnd();
  const body = connection.text.slice(connection.text.indexOf('\r\n\r\n'));
  assert.equal(body.replaceAll(/[^y]/g, '').length, 500);
  assert.deepEqual(warnings, []);
});

test('a spooled body is handed over by its path, and removed when the request has ended', async (t) => {
  const { gateway, served, spoolFolder } = await makeWorld(t, { settings: { bodyMemoryBytes: 10 } });
  const connection = await served.connect();
  connection.send(`${post(500)}${'x'.repeat(500)}`);
  const { thread, kind, body } = await gateway.nextFrame();
  assert.equal(kind, RequestKind.requestSpooled);
  assert.equal((await readFile(body.toString(), 'utf8')).length, 500);
  thread.answer();
  await connection.readUntil('ok');
  await eventually(async () => assert.deepEqual(await readdir(spoolFolder), []));
});

test('the file of a client that left is removed', async (t) => {
  const { gateway, served, spoolFolder } = await makeWorld(t, { settings: { bodyMemoryBytes: 10 } });
  const connection = await served.connect();
  connection.send(`${post(500)}${'x'.repeat(500)}`);
  await gateway.nextFrame();
  connection.reset();
  await eventually(async () => assert.deepEqual(await readdir(spoolFolder), []));
});

test('close: those without an answer are lost, those in mid-answer cut', async (t) => {
  const { gateway, client, served, lost, requests } = await makeWorld(t, { threads: 2 });
  const [waiting, streaming] = [await served.connect(), await served.connect()];
  waiting.send(get);
  await gateway.nextFrame();
  streaming.send(get);
  const { thread } = await gateway.nextFrame();
  thread.send('start', plain, 'half');
  await streaming.readUntil('half');
  client.close();
  assert.deepEqual([lost, client.idle, client.inFlight], [[requests[0]], 0, 0]);
  assert.doesNotMatch(await streaming.readToEnd(), /\r\n0\r\n\r\n/);
  client.close();
});

/** The methods may be taken apart. */
async function makeWorld(...args: Parameters<typeof makeGatewayWorld>) {
  const world = await makeGatewayWorld(...args);
  const { gateway, client, served, spoolFolder, spool, requests, lost } = world;
  const untilIdle = (count: number): Promise<void> => world.untilIdle(count);
  const until = (isReached: () => boolean, describe: string): Promise<void> =>
    world.until(isReached, describe);
  return { gateway, client, served, spoolFolder, spool, requests, lost, untilIdle, until };
}

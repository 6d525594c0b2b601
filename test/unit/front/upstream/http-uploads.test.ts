import assert from 'node:assert/strict';
import { once } from 'node:events';
import type { IncomingMessage } from 'node:http';
import { test } from 'node:test';
import { ask } from '../../../support/http-client.js';
import { makeHttpWorld, serveUpstream } from '../../../support/http-world.js';
import { serveRawUpstream } from '../../../support/raw-upstream.js';

const chunked = 'POST /a HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: chunked\r\n\r\n';

test('a body is passed on as it comes', async (t) => {
  const upstream = await serveRawUpstream(t);
  const world = await makeHttpWorld(t, upstream.path);
  const client = await world.served.connect();
  client.send(`${chunked}3\r\none\r\n`);
  const connection = await upstream.connection(0);
  const head = await connection.readUntil('one\r\n');
  assert.match(head, /\r\ntransfer-encoding: chunked\r\n/);
  assert.doesNotMatch(head, /content-length/i);
  client.send('3\r\ntwo\r\n');
  await connection.readUntil('3\r\ntwo\r\n');
  client.send('0\r\nX-Trailer: 1\r\n\r\n');
  assert.doesNotMatch(await connection.readUntil('0\r\n\r\n'), /X-Trailer/i);
});

test('a body is read whole first where the server has threads, in memory and in a file', async (t) => {
  const { path } = await serveUpstream(t, async (request, response) => {
    const lengths = [request.headers['content-length'], request.headers['transfer-encoding']];
    response.end(JSON.stringify([...lengths, await countBytes(request)]));
  });
  const world = await makeHttpWorld(t, path, { readsBodiesFirst: true, settings: { bodyMemoryBytes: 1000 } });
  for (const bytes of [10, 100_000]) {
    const text = `${bytes.toString(16)}\r\n${'x'.repeat(bytes)}\r\n0\r\n\r\n`;
    const answer = await world.served.exchange(`${chunked.trimEnd()}\r\nConnection: close\r\n\r\n${text}`);
    assert.ok(answer.endsWith(`["${bytes}",null,${bytes}]`), answer);
  }
});

test('a spool file that has gone breaks the request off', async (t) => {
  const upstream = await serveRawUpstream(t);
  const world = await makeHttpWorld(t, upstream.path, {
    readsBodiesFirst: true,
    settings: { bodyMemoryBytes: 1 },
  });
  const send = world.client.send.bind(world.client);
  world.client.send = (request) => {
    assert.equal(request.body.kind, 'spooled');
    Object.assign(request.body, { path: '/there/is/no/such/file' });
    send(request);
  };
  const client = await world.served.connect();
  client.send('POST / HTTP/1.1\r\nHost: h\r\nContent-Length: 4\r\n\r\nbody');
  await world.untilLost(1);
  assert.equal(world.client.inFlight, 0);
});

test('Expect: 100-continue is answered by the front, and goes no further', async (t) => {
  const upstream = await serveRawUpstream(t);
  const world = await makeHttpWorld(t, upstream.path);
  const client = await world.served.connect();
  client.send('POST / HTTP/1.1\r\nHost: h\r\nExpect: 100-continue\r\nContent-Length: 4\r\n\r\n');
  assert.equal(await client.readUntil('\r\n\r\n'), 'HTTP/1.1 100 Continue\r\n\r\n');
  client.send('body');
  const connection = await upstream.connection(0);
  assert.doesNotMatch(await connection.readUntil('body'), /expect/i);
  connection.send('HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok');
  const rest = await client.readUntil('\r\n\r\nok');
  assert.equal(rest.split('100 Continue').length, 2);
});

test('a chunked body beyond the limit gets a 413, and the server no more of it', async (t) => {
  const upstream = await serveRawUpstream(t);
  const world = await makeHttpWorld(t, upstream.path, { settings: { maxBodyBytes: 10 } });
  const client = await world.served.connect();
  client.send(`${chunked}5\r\nhello\r\n`);
  const connection = await upstream.connection(0);
  await connection.readUntil('hello');
  client.send('6\r\nworld!\r\n0\r\n\r\n');
  assert.match(await client.readToEnd(), /^HTTP\/1\.1 413 /);
  assert.doesNotMatch(await connection.readToEnd(), /world/);
  assert.deepEqual([world.client.inFlight, world.lost.length], [0, 0]);
});

test('an announced body beyond the limit does not reach the server', async (t) => {
  const upstream = await serveRawUpstream(t);
  const world = await makeHttpWorld(t, upstream.path, { settings: { maxBodyBytes: 10 } });
  const text = await world.served.exchange(
    'POST / HTTP/1.1\r\nHost: h\r\nContent-Length: 11\r\n\r\nhello world',
  );
  assert.match(text, /^HTTP\/1\.1 413 /);
  assert.deepEqual([world.requests.length, upstream.connections.length], [0, 0]);
});

test('a client that pauses for too long gets a 408', async (t) => {
  const upstream = await serveRawUpstream(t);
  const world = await makeHttpWorld(t, upstream.path, { settings: { bodyIdleTimeoutMs: 100 } });
  const client = await world.served.connect();
  client.send(`${chunked}5\r\nhello\r\n`);
  const connection = await upstream.connection(0);
  assert.match(await client.readToEnd(), /^HTTP\/1\.1 408 /);
  await connection.readToEnd();
  assert.equal(world.client.inFlight, 0);
});

test('a client that waits for a slow server is not taken for a slow client', async (t) => {
  const upstream = await serveRawUpstream(t);
  const world = await makeHttpWorld(t, upstream.path, { settings: { bodyIdleTimeoutMs: 100 } });
  const client = await world.served.connect();
  client.send('POST / HTTP/1.1\r\nHost: h\r\nContent-Length: 10000000\r\n\r\n');
  const connection = await upstream.connection(0);
  await connection.readUntil('\r\n\r\n');
  connection.pause();
  client.send(Buffer.alloc(10_000_000));
  await assert.rejects(client.readToEnd(500), /did not close/);
  connection.forget();
  connection.resume();
  connection.send('HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok');
  await client.readUntil('\r\n\r\nok');
});

test('a server that answers before it has read the body, and closes: the client gets that answer', async (t) => {
  const { path } = await serveUpstream(t, (_request, response) => {
    response.writeHead(413, { Connection: 'close', 'Content-Length': 8 });
    response.end('too much');
  });
  const world = await makeHttpWorld(t, path);
  for (let round = 0; round < 20; round += 1) {
    const answer = await ask(world.served.socket.url, '/', {
      method: 'POST',
      body: Array.from({ length: 50 }, () => Buffer.alloc(64 * 1024)),
    });
    assert.deepEqual([answer.status, answer.text], [413, 'too much']);
  }
  await world.until(() => world.client.inFlight === 0, 'over');
  assert.equal(world.lost.length, 0);
});

test('a server that answers before it has read the body, and stays: the client gets that answer, and goes on', async (t) => {
  const upstream = await serveRawUpstream(t);
  const world = await makeHttpWorld(t, upstream.path);
  const client = await world.served.connect();
  client.send('POST / HTTP/1.1\r\nHost: h\r\nContent-Length: 5000000\r\n\r\n');
  const connection = await upstream.connection(0);
  await connection.readUntil('\r\n\r\n');
  connection.pause();
  connection.send('HTTP/1.1 401 Unauthorized\r\nContent-Length: 2\r\n\r\nno');
  await client.readUntil('\r\n\r\nno');
  await world.until(() => world.client.inFlight === 0, 'over');
  connection.resume();
  await connection.readToEnd();
  client.forget();
  client.send(Buffer.alloc(5_000_000));
  client.send('GET / HTTP/1.1\r\nHost: h\r\n\r\n');
  const next = await upstream.connection(1);
  await next.readUntil('\r\n\r\n');
  next.send('HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok');
  assert.match(await client.readUntil('\r\n\r\nok'), /^HTTP\/1\.1 200 /);
});

test('a large upload goes through whole, and stays out of memory', async (t) => {
  const { path } = await serveUpstream(t, async (request, response) => {
    response.end(String(await countBytes(request)));
  });
  const world = await makeHttpWorld(t, path, { settings: { maxBodyBytes: 1e9 } });
  const piece = Buffer.alloc(1_000_000);
  const answer = await ask(world.served.socket.url, '/', {
    method: 'PUT',
    body: Array.from({ length: 60 }, () => piece),
  });
  assert.equal(answer.text, '60000000');
});

test('a client that leaves in mid-upload takes the connection to the server with it', async (t) => {
  const upstream = await serveRawUpstream(t);
  const world = await makeHttpWorld(t, upstream.path);
  const client = await world.served.connect();
  client.send(`${chunked}5\r\nhello\r\n`);
  const connection = await upstream.connection(0);
  await connection.readUntil('hello');
  client.reset();
  assert.doesNotMatch(await connection.readToEnd(), /0\r\n\r\n$/);
  await world.until(() => world.client.inFlight === 0, 'over');
  assert.equal(world.lost.length, 0);
});

// Private

async function countBytes(request: IncomingMessage): Promise<number> {
  let bytes = 0;
  request.on('data', (piece: Buffer) => {
    bytes += piece.length;
  });
  await once(request, 'end');
  return bytes;
}

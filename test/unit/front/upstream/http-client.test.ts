import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { readdirSync } from 'node:fs';
import { createServer } from 'node:http';
import { connect } from 'node:net';
import { join } from 'node:path';
import { type TestContext, test } from 'node:test';
import { eventually } from '../../../support/eventually.js';
import { makeFileTree } from '../../../support/file-tree.js';
import { makeHttpWorld, serveUpstream } from '../../../support/http-world.js';
import { makeProbe } from '../../../support/make-probe.js';
import { rawConnection } from '../../../support/raw-connection.js';
import { serveRawUpstream } from '../../../support/raw-upstream.js';

const get = 'GET / HTTP/1.1\r\nHost: h\r\n\r\n';
const ok = 'HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok';

test('the target goes out as it came in', async (t) => {
  const { path } = await serveUpstream(t, ({ url }, response) => void response.end(url));
  const world = await makeHttpWorld(t, path);
  const client = await world.served.connect();
  for (const target of ['//a///b/../c/./d%2e%2E/?x=%20&y=a?b//c', '/?=', '/a;b=c:d@e', '/?a=http://b//c']) {
    client.forget();
    client.send(`GET ${target} HTTP/1.1\r\nHost: h\r\n\r\n`);
    const text = await client.readUntil(/\r\n\r\n[\s\S]+/);
    assert.ok(text.endsWith(`\r\n\r\n${target}`), text);
  }
});

test('a GET goes on a kept connection, what must not be sent twice has one of its own', async (t) => {
  const upstream = await serveRawUpstream(t);
  const world = await makeHttpWorld(t, upstream.path);
  const client = await world.served.connect();
  const exchange = async (request: string, index: number): Promise<string> => {
    client.forget();
    client.send(request);
    const connection = await upstream.connection(index);
    const head = await connection.readUntil('\r\n\r\n');
    connection.forget();
    connection.send(ok);
    await client.readUntil('\r\n\r\nok');
    return head;
  };
  assert.match(await exchange(get, 0), /\r\nconnection: keep-alive\r\n/i);
  await exchange(get, 0);
  assert.match(await exchange('POST / HTTP/1.1\r\nHost: h\r\n\r\n', 1), /\r\nconnection: close\r\n/i);
  await exchange('DELETE / HTTP/1.1\r\nHost: h\r\n\r\n', 2);
  await exchange('GET / HTTP/1.1\r\nHost: h\r\nContent-Length: 1\r\n\r\nx', 3);
  await exchange(get, 0);
  assert.equal(world.client.finished, 6);
});

test('a kept connection that the server has just closed: the request is sent again, once, on another', async (t) => {
  const upstream = await serveRawUpstream(t);
  const world = await makeHttpWorld(t, upstream.path);
  const client = await world.served.connect();
  client.send(get);
  const first = await upstream.connection(0);
  await first.readUntil('\r\n\r\n');
  first.send(ok);
  await client.readUntil('\r\n\r\nok');
  client.forget();
  first.forget();
  client.send(get);
  await first.readUntil('\r\n\r\n');
  first.close();
  const second = await upstream.connection(1);
  await second.readUntil('\r\n\r\n');
  assert.deepEqual([world.client.inFlight, world.client.finished], [1, 1]);
  second.send(ok);
  await client.readUntil('\r\n\r\nok');
  assert.deepEqual([world.client.inFlight, world.client.finished, world.lost.length], [0, 2, 0]);
});

test('a new connection that the server closes without an answer: the request is lost, not repeated', async (t) => {
  const upstream = await serveRawUpstream(t);
  const world = await makeHttpWorld(t, upstream.path);
  for (const [index, request] of [get, get.replace('GET', 'POST')].entries()) {
    const client = await world.served.connect();
    client.send(request);
    const connection = await upstream.connection(index);
    await connection.readUntil('\r\n\r\n');
    connection.close();
    await world.untilLost(index + 1);
  }
  assert.deepEqual([upstream.connections.length, world.client.inFlight, world.client.finished], [2, 0, 2]);
});

test('a server that is not there: nothing of the request was sent, and another one gets the whole of it', async (t) => {
  const path = join(await makeFileTree(t, {}), 'app.sock');
  const world = await makeHttpWorld(t, path);
  const client = await world.served.connect();
  client.send('POST / HTTP/1.1\r\nHost: h\r\nContent-Length: 5\r\n\r\nhello');
  await world.until(() => world.unsent.length === 1, 'unsent');
  assert.deepEqual([world.client.inFlight, world.lost.length], [0, 0]);
  const server = createServer((request, response) => void request.pipe(response)).listen(path);
  t.after(() => server.close());
  await once(server, 'listening');
  const [request] = world.unsent;
  assert.ok(request);
  world.client.send(request);
  await client.readUntil('\r\n5\r\nhello\r\n0\r\n\r\n');
});

/** Timers of a front with a connection: the look at slow readers. */
const whileConnected = 1;

test('a server whose queue of connections is full is asked again', async (t) => {
  const { path, goOn } = await serveBusy(t);
  const world = await makeHttpWorld(t, path);
  const { clock } = world.served;
  const client = await world.served.connect();
  client.send('POST / HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n0\r\n\r\n');
  await eventually(() => assert.equal(clock.pending, whileConnected + 1));
  assert.deepEqual([world.client.inFlight, world.lost.length], [1, 0]);
  goOn();
  await eventually(() => {
    clock.advance(20);
    assert.match(client.text, /\r\n3\r\nabc\r\n0\r\n\r\n$/);
  });
  assert.equal(clock.pending, whileConnected);
});

test('a process that ends while its queue is full: the request is lost, and nothing goes on asking', async (t) => {
  const { path } = await serveBusy(t);
  const world = await makeHttpWorld(t, path);
  const { clock } = world.served;
  const client = await world.served.connect();
  client.send(get);
  await eventually(() => assert.equal(clock.pending, whileConnected + 1));
  world.client.close();
  await world.untilLost(1);
  clock.advance(20);
  await eventually(() => assert.equal(clock.pending, whileConnected));
});

test('no connection of a client that left stays, however far its request was', async (t) => {
  const large = Buffer.alloc(30_000_000);
  const served = new Set<string | undefined>();
  const { server, path } = await serveUpstream(t, (request, response) => {
    const [kind, id] = (request.url as string).split('?');
    served.add(id);
    if (kind === '/complete') response.end(large);
    else if (kind === '/begun') response.write('begun');
    else request.resume();
  });
  const world = await makeHttpWorld(t, path);
  const connections = (): Promise<number> =>
    new Promise((resolve, reject) =>
      server.getConnections((error, count) => (error ? reject(error) : resolve(count))),
    );
  const descriptors = (): number => readdirSync('/proc/self/fd').length;
  const before = descriptors();
  const requests = [
    'GET /silent HTTP/1.1\r\nHost: h\r\n\r\n',
    'GET /begun HTTP/1.1\r\nHost: h\r\n\r\n',
    'GET /complete HTTP/1.1\r\nHost: h\r\n\r\n',
    'POST /upload HTTP/1.1\r\nHost: h\r\nContent-Length: 9\r\n\r\nhalf',
    'GET /silent HTTP/1.1\r\nHost: h\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\r\n',
  ];
  // A client leaves at once, when its request is on its way, or when the server has it. Its own request: Node accepts one
  // connection in each turn of its loop (libuv, uv__server_io), so that those of the others may be far behind.
  const moments: ((id: string) => boolean)[] = [
    () => true,
    (id) => world.requests.some(({ exchange }) => exchange.query === id),
    (id) => served.has(id),
  ];
  const leave = async (index: number, hasCome: (id: string) => boolean): Promise<void> => {
    const request = requests[index % requests.length] as string;
    const client = await rawConnection(t, world.served.socket.url);
    client.send(request.replace(' HTTP', `?${index} HTTP`));
    await eventually(() => assert.ok(hasCome(String(index))), { intervalMs: 1 });
    if (index % 2 === 0) client.reset();
    else client.close();
  };
  for (let round = 0; round < 50; round += 1) {
    const hasCome = moments[round % moments.length] as (id: string) => boolean;
    await Promise.all(Array.from({ length: 20 }, (_, index) => leave(round * 20 + index, hasCome)));
    await eventually(() => {
      world.served.clock.advance(5000); // halfCloseTimeoutMs: close() may look like a client that still reads
      assert.equal(world.client.finished, (round + 1) * 20);
    });
  }
  assert.equal(world.requests.length, 1000);
  const { finished, inFlight, streams } = world.client;
  assert.deepEqual([finished, inFlight, streams, world.lost.length], [1000, 0, 0, 0]);
  await eventually(async () => assert.equal(await connections(), 0));
  await eventually(() => assert.ok(descriptors() <= before, `${descriptors()} instead of ${before}`));
});

test('a process that ends: what it has written before still arrives, the rest is lost or cut', async (t) => {
  const upstream = await serveRawUpstream(t);
  const world = await makeHttpWorld(t, upstream.path);
  const clients = [];
  for (const index of [0, 1, 2]) {
    const client = await world.served.connect();
    client.send(get);
    await (await upstream.connection(index)).readUntil('\r\n\r\n');
    clients.push(client);
  }
  const [silent, begun, answered] = clients;
  (await upstream.connection(1)).send('HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nbegun\r\n');
  await begun?.readUntil('begun');
  (await upstream.connection(2)).send(ok);
  world.client.close();
  assert.equal(world.client.idle, 0);
  await answered?.readUntil('\r\n\r\nok');
  await begun?.readToEnd();
  await world.untilLost(1);
  assert.equal(silent?.text, '');
  assert.deepEqual([world.client.inFlight, world.client.finished], [0, 3]);
});

test('a probe', async (t) => {
  const upstream = await serveRawUpstream(t);
  const world = await makeHttpWorld(t, upstream.path);
  const probe = makeProbe({ path: '/health?x=1', host: 'example.com', timeoutMs: 1000 });
  const answered = world.client.probe(probe);
  const first = await upstream.connection(0);
  const head = await first.readUntil('\r\n\r\n');
  assert.match(head, /^GET \/health\?x=1 HTTP\/1\.1\r\n/);
  assert.match(head, /\r\nhost: example\.com\r\n/);
  first.send(`HTTP/1.1 503 Busy\r\nContent-Length: 5000\r\n\r\n${'x'.repeat(5000)}`);
  assert.deepEqual(await answered, { status: 503, bodyHead: 'x'.repeat(2000) });

  const late = world.client.probe(probe);
  await upstream.connection(1);
  world.served.clock.advance(1000);
  await assert.rejects(late, /no answer within 1 s/);

  const cut = world.client.probe(probe);
  (await upstream.connection(2)).close();
  await assert.rejects(cut, /socket hang up/);

  const closed = world.client.probe(probe);
  await upstream.connection(3);
  world.client.close();
  await assert.rejects(closed, /the application process ended/);
  assert.equal(world.served.clock.pending, 0);
});

// Private

/** A server on a Unix socket whose queue of connections is full, for it is busy until goOn(); it gives bodies back. */
async function serveBusy(t: TestContext): Promise<{ path: string; goOn: () => void }> {
  const path = join(await makeFileTree(t, {}), 'app.sock');
  const program = `
    const server = require('node:http').createServer((request, response) => request.pipe(response));
    server.listen({ path: ${JSON.stringify(path)}, backlog: 1 }, () => {
      process.stdout.write('ready');
      require('node:fs').readSync(0, Buffer.alloc(1));
    });`;
  const child = spawn(process.execPath, ['-e', program], { stdio: ['pipe', 'pipe', 'inherit'] });
  t.after(() => child.kill('SIGKILL'));
  await once(child.stdout, 'data');
  for (let isFull = false; !isFull; ) {
    const filler = connect(path);
    t.after(() => filler.destroy());
    isFull = await new Promise((resolve) => {
      filler.once('connect', () => resolve(false)).once('error', () => resolve(true));
    });
  }
  return { path, goOn: () => void child.stdin.write('.') };
}

test('a server that does not listen any more gets no request for a moment, and the one that it refused is not lost', async (t) => {
  const { server, path } = await serveUpstream(t, (_request, response) => void response.end('here'));
  const world = await makeHttpWorld(t, path);
  await new Promise((resolve) => server.close(resolve));
  const client = await world.served.connect();
  client.send('POST / HTTP/1.1\r\nHost: h\r\nContent-Length: 0\r\n\r\n');
  await world.until(() => world.unsent.length === 1, 'the request comes back');
  assert.deepEqual([world.client.idle, world.client.inFlight, world.lost.length], [0, 0, 0]);
  world.served.clock.advance(200);
  assert.equal(world.client.idle, 100);
});

import assert from 'node:assert/strict';
import { type TestContext, test } from 'node:test';
import { gunzipSync } from 'node:zlib';
import { collectWarnings } from '../../../support/collect-warnings.js';
import { ask } from '../../../support/http-client.js';
import {
  type HttpWorld,
  type HttpWorldOptions,
  makeHttpWorld,
  serveUpstream,
} from '../../../support/http-world.js';
import type { RawConnection } from '../../../support/raw-connection.js';
import { type RawUpstream, serveRawUpstream } from '../../../support/raw-upstream.js';

const get = 'GET / HTTP/1.1\r\nHost: h\r\n\r\n';

test('head and body as the application server sends them', async (t) => {
  const { path } = await serveUpstream(t, (_request, response) => {
    response.writeHead(201, 'Made', [
      'Set-Cookie',
      'a=1',
      'Set-Cookie',
      'b=2',
      'X-Latin',
      'caf\xe9',
      'Server',
      's',
    ]);
    response.end(Buffer.from('made')); // a string would turn the headers into UTF-8
  });
  const world = await makeHttpWorld(t, path);
  const text = await world.served.exchange('GET / HTTP/1.1\r\nHost: h\r\nConnection: close\r\n\r\n');
  assert.match(
    text,
    /^HTTP\/1\.1 201 Made\r\n[\s\S]*X-Request-ID: \S+\r\nSet-Cookie: a=1\r\nSet-Cookie: b=2\r\n/,
  );
  assert.match(text, /\r\nX-Latin: caf\xe9\r\nServer: s\r\n/);
  assert.match(text, /\r\n\r\n(4\r\nmade\r\n0\r\n\r\n)$/);
  assert.deepEqual([world.client.inFlight, world.client.finished], [0, 1]);
});

test('a short answer of a known length is one write, also when it comes in pieces', async (t) => {
  const { client, connection } = await openExchange(t);
  connection.send('HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\nhello');
  connection.send('world');
  assert.match(await client.readUntil('world'), /\r\nContent-Length: 10\r\n[\s\S]*\r\n\r\nhelloworld$/);
});

test('headers about the connection end at the front', async (t) => {
  const { client, connection } = await openExchange(t);
  connection.send(
    'HTTP/1.1 200 OK\r\nConnection: keep-alive, X-Hop\r\nConnection: x-other\r\nKeep-Alive: timeout=9\r\nX-Hop: 1\r\n' +
      'X-Other: 2\r\nTrailer: X-Sum\r\nTransfer-Encoding: chunked\r\nX-Stays: 3\r\n\r\n2\r\nok\r\n0\r\nX-Sum: 4\r\n\r\n',
  );
  const text = await client.readUntil('0\r\n\r\n');
  assert.match(text, /\r\nX-Stays: 3\r\n/);
  assert.doesNotMatch(text, /X-Hop|X-Other|X-Sum|timeout=9/i);
});

test('Early Hints are passed on, other interim answers are not', async (t) => {
  const { client, connection } = await openExchange(t);
  connection.send('HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 102 Processing\r\n\r\n');
  connection.send(
    'HTTP/1.1 103 Early Hints\r\nLink: </a.css>; rel=preload; as=style, </b.js>; rel=preload\r\n' +
      'Link: <https://c.example>; rel=preconnect\r\nX-Other: 1\r\n\r\n',
  );
  await client.readUntil('\r\n\r\n');
  connection.send('HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok');
  assert.match(
    await client.readUntil('ok'),
    /^HTTP\/1\.1 103 Early Hints\r\nLink: <\/a\.css>; rel=preload; as=style, <\/b\.js>; rel=preload, <https:\/\/c\.example>; rel=preconnect\r\n\r\nHTTP\/1\.1 200 OK\r\n/,
  );
});

test('Early Hints that Node would not send, and those for HTTP/1.0, are left out', async (t) => {
  const upstream = await serveRawUpstream(t);
  const world = await makeHttpWorld(t, upstream.path);
  const hints = [
    'Link: a.css',
    'Link: <a.css>; =',
    'Link: ',
    'Link: <a.css>;; rel=x, <\xe9>; rel="a b"',
    'X-A: b',
  ];
  for (const [index, hint] of hints.entries()) {
    const client = await world.served.connect();
    client.send('POST / HTTP/1.1\r\nHost: h\r\nConnection: close\r\n\r\n');
    const connection = await upstream.connection(index);
    await connection.readUntil('\r\n\r\n');
    connection.send(
      `HTTP/1.1 103 Early Hints\r\n${hint}\r\n\r\nHTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n`,
    );
    assert.match(await client.readToEnd(), /^HTTP\/1\.1 200 OK\r\n/);
  }
  const old = await world.served.connect();
  old.send('POST / HTTP/1.0\r\nHost: h\r\n\r\n');
  const connection = await upstream.connection(hints.length);
  await connection.readUntil('\r\n\r\n');
  connection.send(
    'HTTP/1.1 103 Early Hints\r\nLink: <a>; rel=x\r\n\r\nHTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n',
  );
  assert.match(await old.readToEnd(), /^HTTP\/1\.1 200 OK\r\n/);
});

test('a HEAD has its length and no body, and its client connection goes on', async (t) => {
  const { path } = await serveUpstream(t, (_request, response) => {
    response.setHeader('Content-Length', 5);
    response.end('hello');
  });
  const world = await makeHttpWorld(t, path);
  const client = await world.served.connect();
  client.send('HEAD / HTTP/1.1\r\nHost: h\r\n\r\n');
  assert.match(await client.readUntil('\r\n\r\n'), /\r\nContent-Length: 5\r\n/);
  client.forget();
  client.send(get);
  assert.match(await client.readUntil('hello'), /^HTTP\/1\.1 200 OK\r\n/);
});

for (const [what, head, request] of [
  ['a HEAD', '200 OK\r\nContent-Length: 5', 'HEAD / HTTP/1.1\r\nHost: h\r\n\r\n'],
  ['a 304', '304 Not Modified', get],
  ['a 204', '204 No Content', get],
]) {
  test(`the connection of ${what} is not used again: a body that it may not have would be the next answer`, async (t) => {
    const upstream = await serveRawUpstream(t);
    const world = await makeHttpWorld(t, upstream.path);
    const client = await world.served.connect();
    client.send(request as string);
    const first = await upstream.connection(0);
    await first.readUntil('\r\n\r\n');
    first.send(`HTTP/1.1 ${head}\r\n\r\n`);
    await client.readUntil('\r\n\r\n');
    await first.readToEnd();
    client.forget();
    client.send(get);
    const second = await upstream.connection(1);
    await second.readUntil('\r\n\r\n');
    second.send('HTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\nmine');
    assert.match(await client.readUntil('mine'), /^HTTP\/1\.1 200 OK\r\n/);
  });
}

test('an answer that nobody asked for, a switch of protocols, is none', async (t) => {
  const { world, client, connection } = await openExchange(t);
  connection.send('HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: x\r\n\r\n');
  await world.untilLost(1);
  await connection.readToEnd();
  assert.equal(client.text, '');
});

test('an odd status is passed on', async (t) => {
  const { world, client, connection } = await openExchange(t);
  connection.send('HTTP/1.1 999 Odd\r\nContent-Length: 2\r\n\r\nok');
  assert.match(await client.readUntil('ok'), /^HTTP\/1\.1 999 Odd\r\n/);
  await world.until(() => world.client.inFlight === 0, 'over');
});

const cutAnswers: Readonly<Record<string, string>> = {
  chunked: 'Transfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n',
  'with a long length': 'Content-Length: 100000\r\n\r\nhello',
};
for (const [what, answer] of Object.entries(cutAnswers)) {
  for (const version of ['1.1', '1.0']) {
    test(`the server dies in an answer ${what}: a client of HTTP/${version} sees a cut`, async (t) => {
      const { world, client, connection } = await openExchange(t, `GET / HTTP/${version}\r\nHost: h\r\n\r\n`);
      connection.send(`HTTP/1.1 200 OK\r\nContent-Type: application/zip\r\n${answer}`);
      await client.readUntil('hello');
      connection.close();
      await client.readToEnd();
      assert.doesNotMatch(client.text, /0\r\n\r\n$/);
      // The end of the connection alone would be the end of such a body.
      if (version === '1.0') assert.equal((client.error as NodeJS.ErrnoException)?.code, 'ECONNRESET');
      await world.until(() => world.client.inFlight === 0, 'over');
      assert.deepEqual(world.lost, []);
    });
  }
}

test('the server dies in a short answer, of which the client has seen nothing: the request is lost', async (t) => {
  const { world, client, connection } = await openExchange(t);
  connection.send('HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\nhello');
  connection.halfClose();
  await world.untilLost(1);
  assert.equal(client.text, '');
});

test('a body without length or chunks ends with its connection', async (t) => {
  const { client, connection } = await openExchange(t);
  connection.send('HTTP/1.0 200 OK\r\n\r\nhello');
  connection.halfClose();
  assert.match(await client.readUntil('0\r\n\r\n'), /5\r\nhello\r\n0\r\n\r\n$/);
});

test('an answer is compressed as that of a gateway', async (t) => {
  const { path } = await serveUpstream(t, (_request, response) => {
    response.setHeader('Content-Type', 'text/plain');
    response.end('x'.repeat(5000));
  });
  const world = await makeHttpWorld(t, path);
  const { headers, body } = await ask(world.served.socket.url, '/', {
    headers: { 'accept-encoding': 'gzip' },
  });
  assert.equal(headers['content-encoding'], 'gzip');
  assert.equal(gunzipSync(body).toString(), 'x'.repeat(5000));
});

test('an event stream comes event by event, is not compressed, and takes no place from other requests', async (t) => {
  const { world, client, connection } = await openExchange(
    t,
    `${get.trimEnd()}\r\nAccept-Encoding: gzip\r\n\r\n`,
    {
      concurrency: 1,
    },
  );
  assert.deepEqual([world.client.idle, world.client.streams], [0, 0]);
  connection.send(
    'HTTP/1.1 200 OK\r\nContent-Type: text/event-stream; charset=utf-8\r\nTransfer-Encoding: chunked\r\n\r\n',
  );
  await world.until(() => world.client.streams === 1, 'a stream');
  assert.deepEqual([world.client.idle, world.client.inFlight], [1, 1]);
  for (const event of ['one', 'two']) {
    connection.send(`b\r\ndata: ${event}\n\n\r\n`);
    await client.readUntil(`data: ${event}\n\n`);
  }
  assert.doesNotMatch(client.text, /Content-Encoding/i);
  connection.send('0\r\n\r\n');
  await world.until(() => world.client.inFlight === 0, 'over');
  assert.deepEqual([world.client.idle, world.client.streams, world.client.finished], [1, 0, 1]);
});

test('a slow client holds the application back, and its memory stays with the application', async (t) => {
  const piece = Buffer.alloc(64 * 1024);
  let written = 0;

  const { path } = await serveUpstream(t, (_request, response) => {
    const fill = (): void => {
      while (written < 200_000_000) {
        written += piece.length;
        if (!response.write(piece)) return;
      }
      response.end();
    };
    response.on('drain', fill);
    fill();
  });
  const world = await makeHttpWorld(t, path, { settings: { responseBufferBytes: 1_000_000 } });
  const client = await world.served.connect();
  client.send(get);
  await client.readUntil('\r\n\r\n');
  client.pause();
  // Nothing moves any more: as much is written as the sockets and the buffers take.
  for (let before = -1; before !== written; ) {
    before = written;
    for (let turn = 0; turn < 200; turn += 1) await new Promise((resolve) => setImmediate(resolve));
  }

  assert.ok(written < 50_000_000, `${written} bytes were taken from the application`);
});

test('no listener is left behind on a connection that serves many requests', async (t) => {
  const warnings = collectWarnings(t);
  const { path } = await serveUpstream(t, (_request, response) => void response.end('ok'));
  const world = await makeHttpWorld(t, path);
  const client = await world.served.connect();
  for (let request = 0; request < 30; request += 1) {
    client.forget();
    client.send(get);
    await client.readUntil('\r\n\r\nok');
  }
  assert.deepEqual(warnings, []);
});

// Private

/** A request that has arrived at the application server. */
async function openExchange(
  t: TestContext,
  request = get,
  options: HttpWorldOptions = {},
): Promise<{ world: HttpWorld; upstream: RawUpstream; client: RawConnection; connection: RawConnection }> {
  const upstream = await serveRawUpstream(t);
  const world = await makeHttpWorld(t, upstream.path, options);
  const client = await world.served.connect();
  client.send(request);
  const connection = await upstream.connection(0);
  await connection.readUntil('\r\n\r\n');
  return { world, upstream, client, connection };
}

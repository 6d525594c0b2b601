import assert from 'node:assert/strict';
import { type TestContext, test } from 'node:test';
import type { Settings } from '../../../../src/settings/settings.js';
import { ask } from '../../../support/http-client.js';
import { type HttpWorld, makeHttpWorld, serveUpstream } from '../../../support/http-world.js';
import { serveRawUpstream } from '../../../support/raw-upstream.js';

const smuggled = 'GET /smuggled HTTP/1.1\r\nHost: h\r\n\r\n';

/** What the application server got, in the order of arrival. */
interface Seen {
  readonly method: string | undefined;
  readonly url: string | undefined;
  readonly body: string;
}

test('a body that looks like a request stays a body, whatever the method', async (t) => {
  const { world, seen } = await makeWorld(t, { methods: ['PROPFIND'] });
  const length = smuggled.length.toString(16);
  for (const method of ['DELETE', 'OPTIONS', 'GET', 'POST', 'PUT', 'PATCH', 'PROPFIND']) {
    await ask(world.served.socket.url, '/warm'); // leaves a kept connection behind
    const chunked = await world.served.exchange(
      `${method} /a HTTP/1.1\r\nHost: h\r\nConnection: close\r\nTransfer-Encoding: chunked\r\n\r\n` +
        `${length}\r\n${smuggled}\r\n0\r\n\r\n`,
    );
    assert.match(chunked, /^HTTP\/1\.1 200 /);
    const measured = await world.served.exchange(
      `${method} /b HTTP/1.1\r\nHost: h\r\nConnection: close\r\nContent-Length: ${smuggled.length}\r\n\r\n${smuggled}`,
    );
    assert.match(measured, /^HTTP\/1\.1 200 /);
    await ask(world.served.socket.url, '/warm');
    assert.deepEqual(
      seen.splice(0).map(({ method, url, body }) => [method, url, body]),
      [
        ['GET', '/warm', ''],
        [method, '/a', smuggled],
        [method, '/b', smuggled],
        ['GET', '/warm', ''],
      ],
    );
  }
});

const refusedHeads: Readonly<Record<string, string>> = {
  'Content-Length with Transfer-Encoding': 'Content-Length: 4\r\nTransfer-Encoding: chunked\r\n',
  'Transfer-Encoding with Content-Length': 'Transfer-Encoding: chunked\r\nContent-Length: 4\r\n',
  'two Content-Lengths': 'Content-Length: 4\r\nContent-Length: 5\r\n',
  'two Content-Lengths in one': 'Content-Length: 4, 5\r\n',
  'a signed Content-Length': 'Content-Length: +4\r\n',
  'a negative Content-Length': 'Content-Length: -4\r\n',
  'a hexadecimal Content-Length': 'Content-Length: 0x4\r\n',
  'an empty Content-Length': 'Content-Length: \r\n',
  'a Content-Length beyond 64 bits': 'Content-Length: 99999999999999999999\r\n',
  'a space before the colon': 'Content-Length : 4\r\n',
  'chunks that are not the last coding': 'Transfer-Encoding: chunked, identity\r\n',
  'an unknown coding': 'Transfer-Encoding: xchunked\r\n',
  'a folded line': 'X-A: b\r\n Transfer-Encoding: chunked\r\n',
  'a bare line feed': 'X-A: b\nTransfer-Encoding: chunked\r\n',
  'a NUL': 'X-A: b\0c\r\n',
  'two Hosts': 'Host: other\r\n',
};

for (const [what, head] of Object.entries(refusedHeads)) {
  test(`a request with ${what} is refused`, async (t) => {
    const { world, seen } = await makeWorld(t);
    const text = await world.served.exchange(
      `POST / HTTP/1.1\r\nHost: h\r\n${head}Connection: close\r\n\r\n0\r\n\r\n`,
    );
    assert.match(text, /^HTTP\/1\.1 400 /);
    assert.deepEqual(seen, []);
  });
}

test('a target that Node does not send is refused', async (t) => {
  const { world, seen } = await makeWorld(t);
  for (const target of ['/a\tb', '/a\fb']) {
    const text = await world.served.exchange(
      `GET ${target} HTTP/1.1\r\nHost: h\r\nConnection: close\r\n\r\n`,
    );
    assert.match(text, /^HTTP\/1\.1 400 /);
  }
  assert.deepEqual(seen, []);
});

const malformedAnswers: Readonly<Record<string, string>> = {
  'Content-Length with Transfer-Encoding': 'Content-Length: 5\r\nTransfer-Encoding: chunked\r\n',
  'two Content-Lengths': 'Content-Length: 5\r\nContent-Length: 6\r\n',
  'a malformed Content-Length': 'Content-Length: five\r\n',
  'a signed Content-Length': 'Content-Length: +5\r\n',
  'a header name with a space': 'X A: b\r\n',
};

for (const [what, head] of Object.entries(malformedAnswers)) {
  test(`an answer with ${what} is none, and its connection is closed`, async (t) => {
    const upstream = await serveRawUpstream(t);
    const world = await makeHttpWorld(t, upstream.path);
    const client = await world.served.connect();
    client.send('GET / HTTP/1.1\r\nHost: h\r\n\r\n');
    const connection = await upstream.connection(0);
    await connection.readUntil('\r\n\r\n');
    connection.send(`HTTP/1.1 200 OK\r\n${head}\r\n5\r\nhello\r\n0\r\n\r\n`);
    await world.untilLost(1);
    await connection.readToEnd();
    assert.equal(world.client.inFlight, 0);
    assert.equal(client.text, '');
  });
}

test('what is behind an answer does not answer the next request', async (t) => {
  const upstream = await serveRawUpstream(t);
  const world = await makeHttpWorld(t, upstream.path);
  const get = async (index: number, answer: string): Promise<string> => {
    const client = await world.served.connect();
    client.send('GET / HTTP/1.1\r\nHost: h\r\nConnection: close\r\n\r\n');
    const connection = await upstream.connection(index);
    await connection.readUntil('\r\n\r\n');
    connection.forget();
    connection.send(answer);
    return client.readToEnd();
  };
  const forged = 'HTTP/1.1 200 OK\r\nContent-Length: 6\r\n\r\nforged';
  assert.match(await get(0, `HTTP/1.1 200 OK\r\nContent-Length: 3\r\n\r\none${forged}`), /one$/);
  assert.match(await get(1, 'HTTP/1.1 200 OK\r\nContent-Length: 3\r\n\r\ntwo'), /two$/);
  // On the same connection, when it is idle.
  (await upstream.connection(1)).send(forged);
  await (await upstream.connection(1)).readToEnd(2000);
  assert.match(await get(2, 'HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nthree'), /three$/);
});

for (const [method, status, isTogether] of [
  ['HEAD', '200 OK', true],
  ['HEAD', '200 OK', false],
  ['GET', '204 No Content', true],
  ['GET', '204 No Content', false],
  ['GET', '304 Not Modified', true],
  ['GET', '304 Not Modified', false],
] as const) {
  const when = isTogether ? 'behind it' : 'that may come';
  test(`${method} with ${status} and a body ${when}: its connection is closed`, async (t) => {
    const upstream = await serveRawUpstream(t);
    const world = await makeHttpWorld(t, upstream.path);
    const client = await world.served.connect();
    client.send(`${method} / HTTP/1.1\r\nHost: h\r\n\r\n`);
    const connection = await upstream.connection(0);
    await connection.readUntil('\r\n\r\n');
    const length = method === 'HEAD' ? 'Content-Length: 5\r\n' : '';
    const body = isTogether ? 'HTTP/1.1 200 OK\r\nContent-Length: 6\r\n\r\nforged' : '';
    connection.send(`HTTP/1.1 ${status}\r\nETag: "a"\r\n${length}\r\n${body}`);
    await client.readUntil('\r\n\r\n');
    // Not only when it has been idle for some seconds.
    await connection.readToEnd(2000);
    await world.until(() => world.client.inFlight === 0, 'quiet');
    client.forget();
    client.send('GET / HTTP/1.1\r\nHost: h\r\n\r\n');
    const next = await upstream.connection(1);
    await next.readUntil('\r\n\r\n');
    next.send('HTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\nreal');
    assert.match(await client.readUntil('real'), /^HTTP\/1\.1 200 OK\r\n/);
  });
}

// Private

async function makeWorld(
  t: TestContext,
  settings: Partial<Settings> = {},
): Promise<{ world: HttpWorld; seen: Seen[] }> {
  const seen: Seen[] = [];
  const { path } = await serveUpstream(t, async (request, response) => {
    const { method, url } = request;
    let body = '';
    for await (const piece of request) body += piece;
    seen.push({ method, url, body });
    response.end('ok');
  });
  return { world: await makeHttpWorld(t, path, { settings }), seen };
}

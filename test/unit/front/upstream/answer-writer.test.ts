import assert from 'node:assert/strict';
import { mkdir, symlink } from 'node:fs/promises';
import { join } from 'node:path';
import { type TestContext, test } from 'node:test';
import { brotliDecompressSync, gunzipSync } from 'node:zlib';
import type { Settings } from '../../../../src/settings/settings.js';
import { eventually } from '../../../support/eventually.js';
import type { FakeThread } from '../../../support/fake-gateway.js';
import { countOpenFiles, makeFileTree } from '../../../support/file-tree.js';
import { type GatewayWorld, makeGatewayWorld } from '../../../support/gateway-world.js';
import type { RawConnection } from '../../../support/raw-connection.js';

interface Asked {
  readonly world: GatewayWorld;
  readonly connection: RawConnection;
  readonly thread: FakeThread;
}

/** A request has arrived at the application. */
async function ask(
  t: TestContext,
  { method = 'GET', headers = [] as string[], settings = {} as Partial<Settings>, buffers = {} } = {},
): Promise<Asked> {
  const world = await makeGatewayWorld(t, { settings, buffers });
  const connection = await world.served.connect();
  connection.send([`${method} / HTTP/1.1`, 'Host: h', ...headers, '\r\n'].join('\r\n'));
  const { thread } = await world.gateway.nextFrame();
  return { world, connection, thread };
}

/** What has come on a connection; its next request is answered too, so all of it is there. */
async function answerOn({ world, connection }: Asked): Promise<{ head: string; body: Buffer }> {
  await world.untilIdle(1);
  const next = 'HTTP/1.1 299 Next\r\n';
  connection.send('GET /next HTTP/1.1\r\nHost: h\r\n\r\n');
  const { thread } = await world.gateway.nextFrame();
  thread.send('whole', '299 Next');
  const text = await connection.readUntil(next);
  const headEnd = text.indexOf('\r\n\r\n') + 4;
  const body = connection.received.subarray(headEnd, text.length - next.length);
  return { head: text.slice(0, headEnd), body };
}

/** The content of a chunked body. */
function dechunk(body: Buffer): Buffer {
  const chunks: Buffer[] = [];
  for (let at = 0; ; ) {
    const lineEnd = body.indexOf('\r\n', at);
    const size = Number.parseInt(body.toString('latin1', at, lineEnd), 16);
    if (size === 0) return Buffer.concat(chunks);
    chunks.push(body.subarray(lineEnd + 2, lineEnd + 2 + size));
    at = lineEnd + 4 + size;
  }
}

const html = 'Content-Type\0text/html';

test('HEAD: the length of the GET, and no body', async (t) => {
  const asked = await ask(t, { method: 'HEAD' });
  asked.thread.send('whole', `200 OK\0${html}`, 'a page');
  const { head, body } = await answerOn(asked);
  assert.match(head, /\r\nContent-Length: 6\r\n/);
  assert.equal(body.length, 0);
});

test('HEAD: the length that the application says, when it sends no body', async (t) => {
  const asked = await ask(t, { method: 'HEAD' });
  asked.thread.send('whole', `200 OK\0${html}\0Content-Length\x0012`);
  assert.match((await answerOn(asked)).head, /\r\nContent-Length: 12\r\n/);
});

test('HEAD: an answer in pieces is dropped', async (t) => {
  const asked = await ask(t, { method: 'HEAD' });
  asked.thread.send('start', `200 OK\0${html}`, 'one');
  asked.thread.send('piece', '', 'two');
  asked.thread.send('end');
  const { head, body } = await answerOn(asked);
  assert.doesNotMatch(head, /Content-Length|Transfer-Encoding/);
  assert.equal(body.length, 0);
});

test('HEAD: an exception in a body that nobody wants does not cut the connection', async (t) => {
  const asked = await ask(t, { method: 'HEAD' });
  asked.thread.send('start', `200 OK\0${html}`, 'one');
  await asked.connection.readUntil('\r\n\r\n');
  asked.thread.send('abort');
  assert.equal((await answerOn(asked)).body.length, 0);
});

test('HEAD: no length where the GET would be compressed', async (t) => {
  const asked = await ask(t, { method: 'HEAD', headers: ['Accept-Encoding: gzip'] });
  asked.thread.send('whole', `200 OK\0${html}\0Content-Length\x005000`);
  const { head } = await answerOn(asked);
  assert.match(head, /\r\nContent-Encoding: gzip\r\n/);
  assert.doesNotMatch(head, /Content-Length/);
});

for (const status of ['204 No Content', '304 Not Modified']) {
  test(`${status} has neither body nor length`, async (t) => {
    const asked = await ask(t);
    asked.thread.send('whole', `${status}\0ETag\0"a"\0Content-Length\x005`, 'stray');
    const { head, body } = await answerOn(asked);
    assert.match(head, /\r\nETag: "a"\r\n/);
    assert.doesNotMatch(head, /Content-Length|Transfer-Encoding/);
    assert.equal(body.length, 0);
  });
}

test('the length that the application says is sent once', async (t) => {
  const asked = await ask(t);
  asked.thread.send('start', `200 OK\0${html}\0Content-Length\x006`, 'a ');
  asked.thread.send('piece', '', 'page');
  asked.thread.send('end');
  const { head, body } = await answerOn(asked);
  assert.equal(head.match(/Content-Length: 6\r\n/g)?.length, 1);
  assert.doesNotMatch(head, /Transfer-Encoding/);
  assert.equal(body.toString(), 'a page');
});

const page = '<p>Many words, again and again.</p>\n'.repeat(100);

test('a page is compressed in one piece', async (t) => {
  const asked = await ask(t, { headers: ['Accept-Encoding: gzip'] });
  asked.thread.send('whole', `200 OK\0${html}\0ETag\0"v1"\0Content-Length\0${page.length}`, page);
  const { head, body } = await answerOn(asked);
  assert.match(head, /\r\nContent-Encoding: gzip\r\n/);
  assert.match(head, /\r\nVary: Accept-Encoding\r\n/);
  assert.match(head, /\r\nETag: W\/"v1"\r\n/);
  assert.match(head, new RegExp(`\r\nContent-Length: ${body.length}\r\n`));
  assert.equal(gunzipSync(body).toString(), page);
});

test('a large page is compressed as a stream', async (t) => {
  const asked = await ask(t, { headers: ['Accept-Encoding: br'] });
  const large = page.repeat(50);
  asked.thread.send('whole', `200 OK\0${html}`, large);
  const { head, body } = await answerOn(asked);
  assert.match(head, /\r\nContent-Encoding: br\r\n/);
  assert.doesNotMatch(head, /Content-Length/);
  assert.equal(brotliDecompressSync(dechunk(body)).toString(), large);
});

test('a page in pieces is compressed, and each piece leaves when it comes', async (t) => {
  const asked = await ask(t, { headers: ['Accept-Encoding: gzip'] });
  const { connection, thread, world } = asked;
  thread.send('start', `200 OK\0${html}`, 'one ');
  const head = await connection.readUntil(/\r\n\r\n[0-9a-f]+\r\n/);
  assert.match(head, /\r\nContent-Encoding: gzip\r\n/);
  const before = connection.received.length;
  thread.send('piece', '', 'two');
  await eventually(() => assert.ok(connection.received.length > before));
  thread.send('end');
  const { body } = await answerOn(asked);
  assert.equal(gunzipSync(dechunk(body)).toString(), 'one two');
  assert.equal(world.requests[0]?.exchange.bodyBytes, dechunk(body).length);
});

test('without room for more, a slow client holds a compressed answer back as well', async (t) => {
  const settings = { responseBufferBytes: 50_000 };
  const buffers = { diskBytes: 100_000 };
  const headers = ['Accept-Encoding: gzip'];
  const { world, connection, thread } = await ask(t, { headers, settings, buffers });
  connection.pause();
  thread.send('start', `200 OK\0${html}`);
  // Letters by chance: compressed, they are hardly smaller than half.
  const noise = Buffer.from(Array.from({ length: 100_000 }, () => 97 + Math.floor(Math.random() * 26)));
  let sent = 0;
  const pump = (): void => {
    while (sent < 400) {
      sent += 1;
      if (!thread.send('piece', '', noise)) {
        thread.socket.once('drain', pump);
        return;
      }
    }
  };
  pump();
  let sentBefore = -1;
  await eventually(() => {
    const isMoving = sentBefore !== sent;
    sentBefore = sent;
    assert.ok(!isMoving && thread.socket.writableNeedDrain, 'held back');
  });
  assert.ok(sent < 400);
  const kept = world.spool.budget.memoryBytes;
  assert.ok(kept < 1_000_000, `${kept} bytes are kept`);
  connection.reset();
  await thread.closed();
});

const malformed: [what: string, head: string][] = [
  ['a control character in a value', '200 OK\0X-Bad\0a\u0001b'],
  ['a line break in a value', '200 OK\0X-Bad\0a\r\nSet-Cookie: b'],
  ['a name that is none', '200 OK\0Bad Name\0x'],
  ['a control character in the reason', '200 O\u0001K'],
  ['a status that is none', 'OK'],
  ['an interim status', '100 Continue'],
  ['a name without a value', '200 OK\0Lonely'],
  ['a length that is none', '200 OK\0Content-Length\0many'],
  ['a length that is not the one of the body', '200 OK\0Content-Length\x003'],
];
for (const [what, head] of malformed) {
  test(`${what}: a 502 page, and the connection goes on`, async (t) => {
    const asked = await ask(t);
    asked.thread.send('whole', head, 'body');
    const answer = await answerOn(asked);
    assert.match(answer.head, /^HTTP\/1\.1 502 Bad Gateway\r\n/);
    assert.doesNotMatch(answer.head, /X-Bad|Set-Cookie/);
    assert.equal(asked.world.served.log.all('answer-malformed').length, 1);
  });
}

test('a malformed head of an answer in pieces: a 502 page, and the pieces are dropped', async (t) => {
  const asked = await ask(t);
  asked.thread.send('start', '200 OK\0X-Bad\0a\u0001b', 'one');
  asked.thread.send('piece', '', 'two');
  asked.thread.send('end');
  const { head, body } = await answerOn(asked);
  assert.match(head, /^HTTP\/1\.1 502 /);
  assert.ok(body.toString().endsWith('</html>\n'));
});

for (const reason of ['stuck', 'upstream-died'] as const) {
  test(`an answer that comes after the client got a page (${reason}) is dropped`, async (t) => {
    const asked = await ask(t);
    const [request] = asked.world.requests;
    request?.fail(reason);
    await asked.connection.readUntil('</html>\n');
    asked.thread.answer('too late');
    const { head, body } = await answerOn(asked);
    assert.match(head, reason === 'stuck' ? /^HTTP\/1\.1 504 / : /^HTTP\/1\.1 502 /);
    assert.doesNotMatch(body.toString(), /too late/);
  });
}

test('an answer that has begun is cut when the request fails', async (t) => {
  const { world, connection, thread } = await ask(t);
  thread.send('start', `200 OK\0${html}`, 'half');
  await connection.readUntil('half');
  world.requests[0]?.fail('upstream-died');
  assert.doesNotMatch(await connection.readToEnd(), /\r\n0\r\n\r\n/);
});

/** A root with a file, a way out of it, and something outside. */
async function makeRoots(t: TestContext): Promise<{ base: string; settings: Partial<Settings> }> {
  const base = await makeFileTree(t, { 'root/a b.pdf': 'PDF', 'root/empty': '', secret: 'SECRET' });
  await symlink(join(base, 'secret'), join(base, 'root/way-out'));
  await mkdir(join(base, 'root/folder'));
  const root = join(base, 'root');
  return { base, settings: { sendfileRoots: [root], accelRoots: { '/protected/': root } } };
}

for (const header of ['X-Sendfile', 'x-accel-redirect'] as const) {
  const nameFor = (base: string, path: string): string =>
    header === 'X-Sendfile' ? join(base, 'root', path) : `/protected/${encodeURI(path)}?ignored`;

  test(`${header}: the file takes the place of the body`, async (t) => {
    const { base, settings } = await makeRoots(t);
    const asked = await ask(t, { settings });
    asked.thread.send(
      'whole',
      `200 OK\0Content-Type\0application/pdf\0Content-Length\x004\0${header}\0${nameFor(base, 'a b.pdf')}`,
      'body',
    );
    await asked.connection.readUntil('PDF');
    const { head, body } = await answerOn(asked);
    assert.match(head, /^HTTP\/1\.1 200 OK\r\n/);
    assert.match(head, /\r\nContent-Type: application\/pdf\r\nContent-Length: 3\r\n/);
    assert.doesNotMatch(head, /sendfile|accel/i);
    assert.equal(body.toString(), 'PDF');
    await eventually(async () => assert.equal(await countOpenFiles(base), 0));
  });

  test(`${header}: in an answer in pieces as well`, async (t) => {
    const { base, settings } = await makeRoots(t);
    const asked = await ask(t, { settings });
    asked.thread.send('start', `200 OK\0${header}\0${nameFor(base, 'a b.pdf')}`, 'one');
    asked.thread.send('piece', '', 'two');
    asked.thread.send('end');
    await asked.connection.readUntil('PDF');
    assert.equal((await answerOn(asked)).body.toString(), 'PDF');
  });

  test(`${header}: HEAD, and a file of nothing`, async (t) => {
    const { base, settings } = await makeRoots(t);
    const asked = await ask(t, { settings, method: 'HEAD' });
    asked.thread.send('whole', `200 OK\0${header}\0${nameFor(base, 'a b.pdf')}`);
    await asked.connection.readUntil('\r\n\r\n');
    assert.match((await answerOn(asked)).head, /\r\nContent-Length: 3\r\n/);
    const other = await ask(t, { settings });
    other.thread.send('whole', `200 OK\0${header}\0${nameFor(base, 'empty')}`);
    await other.connection.readUntil('\r\n\r\n');
    assert.match((await answerOn(other)).head, /\r\nContent-Length: 0\r\n/);
  });

  test(`${header}: an answer without a body stays one`, async (t) => {
    const { base, settings } = await makeRoots(t);
    const asked = await ask(t, { settings });
    asked.thread.send('whole', `304 Not Modified\0${header}\0${nameFor(base, 'a b.pdf')}`);
    const { head, body } = await answerOn(asked);
    assert.match(head, /^HTTP\/1\.1 304 /);
    assert.equal(body.length, 0);
  });

  for (const path of ['missing', '../secret', 'way-out', 'folder', 'a\u0001b', '%2e%2e/secret', '']) {
    test(`${header}: ${JSON.stringify(path)} is not sent`, async (t) => {
      const { base, settings } = await makeRoots(t);
      const asked = await ask(t, { settings });
      const name = header === 'X-Sendfile' ? `${base}/root/${path}` : `/protected/${path}`;
      asked.thread.send('whole', `200 OK\0${header}\0${name}`, 'INSTEAD');
      await asked.connection.readUntil('</html>\n');
      const { head, body } = await answerOn(asked);
      assert.match(head, /^HTTP\/1\.1 404 /);
      assert.doesNotMatch(body.toString(), /SECRET|INSTEAD/);
      assert.equal(asked.world.served.log.all('sendfile-refused').length, 1);
      assert.equal(await countOpenFiles(base), 0);
    });
  }
}

test('X-Sendfile outside of every root, and a broken escape', async (t) => {
  const { base, settings } = await makeRoots(t);
  for (const header of [
    `X-Sendfile\0${base}/secret`,
    'X-Accel-Redirect\0/other/a',
    'X-Accel-Redirect\0/protected/%zz',
  ]) {
    const asked = await ask(t, { settings });
    asked.thread.send('whole', `200 OK\0${header}`, 'body');
    assert.match(await asked.connection.readUntil('</html>\n'), /^HTTP\/1\.1 404 /);
  }
});

test('a client that leaves while the file is looked up: it is closed again', async (t) => {
  const { base, settings } = await makeRoots(t);
  const { world, connection, thread } = await ask(t, { settings });
  thread.send('whole', `200 OK\0X-Sendfile\0${join(base, 'root/a b.pdf')}`);
  connection.reset();
  await world.served.log.until(() => world.served.log.accessRecords.length === 1, 'the access record');
  await eventually(async () => assert.equal(await countOpenFiles(base), 0));
});

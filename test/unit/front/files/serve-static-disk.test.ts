import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { once } from 'node:events';
import { mkdir, rename, rm, symlink, truncate } from 'node:fs/promises';
import { join } from 'node:path';
import { type TestContext, test } from 'node:test';
import { brotliDecompressSync } from 'node:zlib';
import { serveStatic } from '../../../../src/front/files/serve-static.js';
import { StaticTable } from '../../../../src/front/files/static-table.js';
import { eventually } from '../../../support/eventually.js';
import { countOpenFiles, makeFileTree, putFile } from '../../../support/file-tree.js';
import { rawConnection } from '../../../support/raw-connection.js';
import { RecordingLog } from '../../../support/recording-log.js';
import { type ServedHandler, serveHandler } from '../../../support/serve-handler.js';

const largeBytes = 24 * 1024 * 1024;
const first = 'first content, '.repeat(20);
const second = 'second content, and longer, '.repeat(20);

type ServedTree = ServedHandler & { readonly root: string };

async function serveTree(
  t: TestContext,
  files: Record<string, string>,
  memoryFileBytes: number,
): Promise<ServedTree> {
  const root = await makeFileTree(t, files);
  if (files.large !== undefined) await truncate(join(root, 'large'), largeBytes);
  const options = { memoryFileBytes, compress: true, compressMinBytes: 100 };
  const table = await StaticTable.build({ prefix: '/static/', root }, options);
  return Object.assign(await serveHandler(t, serveStatic(table, new RecordingLog())), { root });
}

test('a large file arrives whole, and its descriptor is closed', async (t) => {
  const served = await serveTree(t, { large: '' }, 1024);
  const { status, body } = await served.ask('/static/large');
  assert.equal(status, 200);
  assert.equal(body.length, largeBytes);
  assert.equal(served.exchanges[0]?.bodyBytes, largeBytes);
  await eventually(async () => assert.equal(await countOpenFiles(served.root), 0));
});

test('HEAD, 304 and 416 leave no descriptor open', async (t) => {
  const served = await serveTree(t, { large: '' }, 1024);
  assert.equal((await served.ask('/static/large', { method: 'HEAD' })).status, 200);
  assert.equal((await served.ask('/static/large', { headers: { 'If-None-Match': '*' } })).status, 304);
  assert.equal((await served.ask('/static/large', { headers: { Range: 'bytes=999999999-' } })).status, 416);
  await eventually(async () => assert.equal(await countOpenFiles(served.root), 0));
});

test('a part of a large file is read from its place', async (t) => {
  const served = await serveTree(t, { large: '' }, 1024);
  const headers = { Range: 'bytes=1000-300999' };
  const { status, body } = await served.ask('/static/large', { headers });
  assert.equal(status, 206);
  assert.equal(body.length, 300_000);
});

test('a slow client does not make the server read ahead', async (t) => {
  const served = await serveTree(t, { large: '' }, 1024);
  const { exchange } = await served.stall('/static/large');
  assert.ok(exchange.bodyBytes < largeBytes / 2, `${exchange.bodyBytes} bytes read`);
  assert.ok(exchange.response.writableLength < 1024 * 1024, `${exchange.response.writableLength} bytes wait`);
});

test('a client that goes away closes the file', async (t) => {
  const served = await serveTree(t, { large: '' }, 1024);
  const { body, exchange } = await served.stall('/static/large');
  assert.equal(await countOpenFiles(served.root), 1);
  const closed = once(exchange.response, 'close');
  body.destroy();
  await closed;
  await eventually(async () => assert.equal(await countOpenFiles(served.root), 0));
  assert.ok(exchange.bodyBytes < largeBytes, 'read on for nobody');
});

test('a client that sends many requests at once and goes away leaves nothing open', async (t) => {
  const served = await serveTree(t, { large: '' }, 1024);
  const client = await rawConnection(t, `http://127.0.0.1:${served.port}`);
  client.send('GET /static/large HTTP/1.1\r\nHost: x\r\n\r\n'.repeat(20));
  client.reset();
  await served.ask('/static/large', { headers: { Range: 'bytes=0-0' } });
  await eventually(async () => assert.equal(await countOpenFiles(served.root), 0));
});

test('a file that shrinks while it is sent cuts the connection', async (t) => {
  const served = await serveTree(t, { large: '' }, 1024);
  const { body, exchange } = await served.stall('/static/large');
  const closed = once(exchange.response, 'close');
  await truncate(join(served.root, 'large'), 0);
  body.on('error', () => undefined).resume();
  await closed;
  assert.ok(exchange.request.socket.destroyed, 'ended as if it were whole');
  await eventually(async () => assert.equal(await countOpenFiles(served.root), 0));
});

const places = [
  { place: 'memory', memoryFileBytes: 65536 },
  { place: 'disk', memoryFileBytes: -1 },
];

for (const { place, memoryFileBytes } of places) {
  test(`for ${place}: a file replaced since the start is sent as it is now, under a tag of its own`, async (t) => {
    for (const headers of [{}, { Range: 'bytes=0-4' }, { 'Accept-Encoding': 'br' }]) {
      const served = await serveTree(t, { 'a.txt': first }, memoryFileBytes);
      const notTag = { 'If-None-Match': '*' };
      const oldTag = (await served.ask('/static/a.txt', { headers: notTag })).headers.etag;
      await putFile(join(served.root, 'new'), second, new Date());
      await rename(join(served.root, 'new'), join(served.root, 'a.txt'));
      const now = await served.ask('/static/a.txt', { headers });
      assert.equal(now.status, 200);
      assert.equal(now.body.toString(), second);
      assert.equal(now.headers['content-length'], String(second.length));
      assert.notEqual(now.headers.etag, oldTag);
      const condition = { 'If-None-Match': now.headers.etag };
      assert.equal((await served.ask('/static/a.txt', { headers: condition })).status, 304);
      const br = await served.ask('/static/a.txt', { headers: { 'Accept-Encoding': 'br' } });
      assert.equal(brotliDecompressSync(br.body).toString(), second);
      assert.equal(await countOpenFiles(served.root), 0);
    }
  });

  test(`for ${place}: a file that has gone is missing, and found when it is back`, async (t) => {
    const served = await serveTree(t, { 'a.txt': first }, memoryFileBytes);
    await rm(join(served.root, 'a.txt'));
    for (const headers of [{}, { Range: 'bytes=0-4' }, { 'Accept-Encoding': 'br' }]) {
      assert.equal((await served.ask('/static/a.txt', { headers })).status, 404);
    }
    await putFile(join(served.root, 'a.txt'), second);
    assert.equal((await served.ask('/static/a.txt')).body.toString(), second);
  });

  test(`for ${place}: a symlink that takes a file's place is not followed`, async (t) => {
    const outside = await makeFileTree(t, { secret: first });
    const served = await serveTree(t, { 'a.txt': first }, memoryFileBytes);
    await rm(join(served.root, 'a.txt'));
    await symlink(join(outside, 'secret'), join(served.root, 'a.txt'));
    assert.equal((await served.ask('/static/a.txt')).status, 404);
  });

  test(`for ${place}: a FIFO or a folder that takes a file's place is missing, at once`, async (t) => {
    const served = await serveTree(t, { 'a.txt': first, 'b.txt': first }, memoryFileBytes);
    await rm(join(served.root, 'a.txt'));
    await rm(join(served.root, 'b.txt'));
    execFileSync('mkfifo', [join(served.root, 'a.txt')]);
    await mkdir(join(served.root, 'b.txt'));
    assert.equal((await served.ask('/static/a.txt')).status, 404);
    assert.equal((await served.ask('/static/b.txt')).status, 404);
    assert.equal(await countOpenFiles(served.root), 0);
  });
}

test('what is in memory stays as it was at its first request', async (t) => {
  const served = await serveTree(t, { 'a.txt': first }, 65536);
  await served.ask('/static/a.txt');
  await putFile(join(served.root, 'a.txt'), second);
  assert.equal((await served.ask('/static/a.txt')).body.toString(), first);
});

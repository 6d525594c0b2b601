import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { type TestContext, test } from 'node:test';
import { brotliDecompressSync, gunzipSync, gzipSync } from 'node:zlib';
import { serveStatic } from '../../../../src/front/files/serve-static.js';
import type { StaticOptions } from '../../../../src/front/files/static-bodies.js';
import { StaticTable } from '../../../../src/front/files/static-table.js';
import { makeFileTree } from '../../../support/file-tree.js';
import { RecordingLog } from '../../../support/recording-log.js';
import { type ServedHandler, serveHandler } from '../../../support/serve-handler.js';

const text = 'body { color: black; background: white }\n'.repeat(100);
// No compressor finds anything in a hash.
const noise = createHash('shake256', { outputLength: 3000 }).digest();

async function serveTree(
  t: TestContext,
  files: Record<string, string | Buffer>,
  changed: Partial<StaticOptions> = {},
): Promise<ServedHandler & { root: string }> {
  const root = await makeFileTree(t, files);
  const options = { memoryFileBytes: 65536, compress: true, compressMinBytes: 100, ...changed };
  const table = await StaticTable.build({ prefix: '/static/', root }, options);
  return Object.assign(await serveHandler(t, serveStatic(table, new RecordingLog())), { root });
}

function accepting(encoding: string): { headers: { 'Accept-Encoding': string } } {
  return { headers: { 'Accept-Encoding': encoding } };
}

test('text without siblings is compressed on the first wish and announced in every answer', async (t) => {
  const served = await serveTree(t, { 'a.css': text });
  const br = await served.ask('/static/a.css', accepting('gzip, br'));
  assert.equal(br.status, 200);
  assert.equal(br.headers['content-encoding'], 'br');
  assert.equal(br.headers['content-length'], String(br.body.length));
  assert.equal(brotliDecompressSync(br.body).toString(), text);
  const gzip = await served.ask('/static/a.css', accepting('gzip'));
  assert.equal(gzip.headers['content-encoding'], 'gzip');
  assert.equal(gunzipSync(gzip.body).toString(), text);
  const plain = await served.ask('/static/a.css');
  assert.equal(plain.headers['content-encoding'], undefined);
  assert.equal(plain.body.toString(), text);
  for (const { headers } of [br, gzip, plain]) {
    assert.equal(headers.vary, 'Accept-Encoding');
    assert.equal(headers['content-type'], 'text/css; charset=utf-8');
  }
  assert.equal(new Set([br, gzip, plain].map(({ headers }) => headers.etag)).size, 3);
});

test('HEAD of a compressed file has the headers of GET', async (t) => {
  const served = await serveTree(t, { 'a.css': text });
  const head = await served.ask('/static/a.css', { method: 'HEAD', ...accepting('br') });
  const get = await served.ask('/static/a.css', accepting('br'));
  assert.equal(head.headers['content-length'], get.headers['content-length']);
  assert.equal(head.headers['content-encoding'], 'br');
  assert.equal(head.body.length, 0);
});

test('a tag of one encoding is not the tag of another', async (t) => {
  const served = await serveTree(t, { 'a.css': text });
  const { etag = '' } = (await served.ask('/static/a.css', accepting('br'))).headers;
  const ask = (encoding: string) =>
    served.ask('/static/a.css', { headers: { 'If-None-Match': etag, 'Accept-Encoding': encoding } });
  const same = await ask('br');
  assert.equal(same.status, 304);
  assert.equal(same.headers.vary, 'Accept-Encoding');
  assert.equal((await ask('gzip')).status, 200);
  assert.equal((await ask('identity')).status, 200);
});

test('a tag from before a restart is recognised without compressing again', async (t) => {
  const root = await makeFileTree(t, { 'a.css': text });
  const options = { memoryFileBytes: 65536, compress: true, compressMinBytes: 100 };
  const etags: string[] = [];
  for (let start = 1; start <= 2; start++) {
    const table = await StaticTable.build({ prefix: '/static/', root }, options);
    const served = await serveHandler(t, serveStatic(table, new RecordingLog()));
    const headers = { 'Accept-Encoding': 'br', 'If-None-Match': etags[0] ?? '"none"' };
    const answer = await served.ask('/static/a.css', { headers });
    assert.equal(answer.status, start === 1 ? 200 : 304);
    etags.push(answer.headers.etag ?? '');
  }
  assert.equal(etags[0], etags[1]);
});

test('many who want a file at the same time all get it whole', async (t) => {
  const served = await serveTree(t, { 'a.css': text });
  const answers = await Promise.all(
    Array.from({ length: 40 }, (_, i) => served.ask('/static/a.css', accepting(i % 2 ? 'br' : 'gzip'))),
  );
  for (const { headers, body } of answers) {
    const plain = headers['content-encoding'] === 'br' ? brotliDecompressSync(body) : gunzipSync(body);
    assert.equal(plain.toString(), text);
  }
});

test('what does not get smaller stays as it is, at every request', async (t) => {
  const served = await serveTree(t, { 'noise.txt': noise });
  for (let round = 1; round <= 2; round++) {
    const { status, headers, body } = await served.ask('/static/noise.txt', accepting('gzip'));
    assert.equal(status, 200);
    assert.equal(headers['content-encoding'], undefined);
    assert.equal(headers.vary, 'Accept-Encoding');
    assert.deepEqual(body, noise);
  }
});

test('parts are parts of the identity, whatever is accepted', async (t) => {
  const served = await serveTree(t, { 'a.css': text });
  const headers = { Range: 'bytes=0-3', 'Accept-Encoding': 'br, gzip' };
  const part = await served.ask('/static/a.css', { headers });
  assert.equal(part.status, 206);
  assert.equal(part.body.toString(), 'body');
  assert.equal(part.headers['content-encoding'], undefined);
  assert.equal(part.headers['content-range'], `bytes 0-3/${text.length}`);
  const tagOfBr = (await served.ask('/static/a.css', accepting('br'))).headers.etag ?? '';
  const ofAnother = await served.ask('/static/a.css', { headers: { ...headers, 'If-Range': tagOfBr } });
  assert.equal(ofAnother.status, 200);
});

test('siblings are sent as they are, from memory and from disk', async (t) => {
  for (const memoryFileBytes of [65536, -1]) {
    const packed = gzipSync(text);
    const served = await serveTree(t, { 'a.css': text, 'a.css.gz': packed }, { memoryFileBytes });
    const gzip = await served.ask('/static/a.css', accepting('gzip, br'));
    assert.equal(gzip.headers['content-encoding'], 'gzip');
    assert.equal(gzip.headers['content-type'], 'text/css; charset=utf-8');
    assert.equal(gzip.headers.vary, 'Accept-Encoding');
    assert.deepEqual(gzip.body, packed);
    const itself = await served.ask('/static/a.css.gz', accepting('gzip'));
    assert.equal(itself.headers['content-type'], 'application/gzip');
    assert.equal(itself.headers['content-encoding'], undefined);
    assert.deepEqual(itself.body, packed);
  }
});

test('zstd comes from a sibling', async (t) => {
  const served = await serveTree(t, { 'a.css': text, 'a.css.zst': 'as if packed' });
  const zstd = await served.ask('/static/a.css', accepting('zstd'));
  assert.equal(zstd.headers['content-encoding'], 'zstd');
  assert.equal(zstd.body.toString(), 'as if packed');
});

test('a sibling that has gone or changed since the start is not used any more', async (t) => {
  for (const memoryFileBytes of [65536, -1]) {
    const packed = gzipSync(text);
    const files = { 'a.css': text, 'a.css.gz': packed, 'b.css': text, 'b.css.gz': packed };
    const served = await serveTree(t, files, { memoryFileBytes });
    await rm(join(served.root, 'a.css.gz'));
    await writeFile(join(served.root, 'b.css.gz'), 'of something else');
    for (const path of ['/static/a.css', '/static/b.css', '/static/a.css']) {
      const answer = await served.ask(path, accepting('gzip'));
      assert.equal(answer.status, 200);
      assert.equal(answer.headers['content-encoding'], undefined);
      assert.equal(answer.body.toString(), text);
    }
  }
});

test('memory that is full lets compressed files go and makes them again', async (t) => {
  const files = Object.fromEntries(Array.from({ length: 8 }, (_, i) => [`${i}.css`, `/* ${i} */${text}`]));
  const served = await serveTree(t, files, { memoryTotalBytes: 5000 });
  for (let round = 1; round <= 2; round++) {
    for (let i = 0; i < 8; i++) {
      const answer = await served.ask(`/static/${i}.css`, accepting('br'));
      assert.equal(answer.headers['content-encoding'], 'br');
      assert.equal(brotliDecompressSync(answer.body).toString(), `/* ${i} */${text}`);
    }
  }
});

test('a file too large for memory is still compressed', async (t) => {
  const served = await serveTree(t, { 'a.css': text }, { memoryFileBytes: 1000 });
  const answer = await served.ask('/static/a.css', accepting('br'));
  assert.equal(answer.headers['content-encoding'], 'br');
  assert.equal(brotliDecompressSync(answer.body).toString(), text);
});

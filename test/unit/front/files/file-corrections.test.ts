import assert from 'node:assert/strict';
import { type TestContext, test } from 'node:test';
import { gzipSync } from 'node:zlib';
import { serveStatic } from '../../../../src/front/files/serve-static.js';
import { StaticTable } from '../../../../src/front/files/static-table.js';
import { makeFileTree } from '../../../support/file-tree.js';
import { RecordingLog } from '../../../support/recording-log.js';
import { type ServedHandler, serveHandler } from '../../../support/serve-handler.js';

const text = 'some text that is worth its compression. '.repeat(50);

async function serveTree(t: TestContext, memoryFileBytes: number): Promise<ServedHandler> {
  const files = { 'a.css': text, empty: '', 'drawing.svgz': gzipSync(`<svg>${text}</svg>`) };
  const root = await makeFileTree(t, files);
  const table = await StaticTable.build(
    { prefix: '/static/', root },
    { memoryFileBytes, compress: true, compressMinBytes: 10 },
  );
  return serveHandler(t, serveStatic(table, new RecordingLog()));
}

for (const memoryFileBytes of [10_000, -1]) {
  const place = memoryFileBytes < 0 ? 'disk' : 'memory';

  test(`If-Match takes every ETag of the file, from ${place}`, async (t) => {
    const served = await serveTree(t, memoryFileBytes);
    const encoded = await served.ask('/static/a.css', { headers: { 'accept-encoding': 'gzip' } });
    assert.equal(encoded.headers['content-encoding'], 'gzip');
    const headers = { 'if-match': String(encoded.headers.etag) };
    assert.equal((await served.ask('/static/a.css', { headers })).status, 200);
    const part = await served.ask('/static/a.css', { headers: { ...headers, range: 'bytes=0-3' } });
    assert.deepEqual([part.status, part.body.toString()], [206, 'some']);
  });

  test(`412 and 416 have the CORS header of the 200, from ${place}`, async (t) => {
    const served = await serveTree(t, memoryFileBytes);
    const refused = [{ range: 'bytes=9999-' }, { 'if-match': '"other"' }];
    for (const [at, headers] of refused.entries()) {
      const { status, headers: answered } = await served.ask('/static/a.css', { headers });
      assert.deepEqual([status, answered['access-control-allow-origin']], [at === 0 ? 416 : 412, '*']);
    }
  });

  test(`an empty file from its beginning is all of it, from ${place}`, async (t) => {
    const served = await serveTree(t, memoryFileBytes);
    const { status, body } = await served.ask('/static/empty', { headers: { range: 'bytes=0-' } });
    assert.deepEqual([status, body.length], [200, 0]);
  });

  test(`.svgz says that it is gzip, once, from ${place}`, async (t) => {
    const served = await serveTree(t, memoryFileBytes);
    for (const encoding of ['gzip', 'br, gzip', 'identity']) {
      const { headers, body } = await served.ask('/static/drawing.svgz', {
        headers: { 'accept-encoding': encoding },
      });
      assert.equal(headers['content-encoding'], 'gzip');
      assert.match(String(headers['content-type']), /^image\/svg\+xml/);
      assert.deepEqual(body, gzipSync(`<svg>${text}</svg>`));
    }
  });
}

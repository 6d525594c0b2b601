import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import { rm } from 'node:fs/promises';
import { join } from 'node:path';
import { type TestContext, test } from 'node:test';
import { serveStatic } from '../../../../src/front/files/serve-static.js';
import type { StaticBodies } from '../../../../src/front/files/static-bodies.js';
import type { StaticFile } from '../../../../src/front/files/static-file.js';
import { StaticTable } from '../../../../src/front/files/static-table.js';
import { makeFileTree, putFile } from '../../../support/file-tree.js';
import { RecordingLog } from '../../../support/recording-log.js';
import { serveHandler } from '../../../support/serve-handler.js';

interface Loaded {
  readonly table: StaticTable;
  readonly bodies: StaticBodies;
  readonly file: StaticFile;
  readonly root: string;
}

async function load(t: TestContext, content: string | Buffer): Promise<Loaded> {
  const root = await makeFileTree(t, { 'a.css': content });
  const options = { memoryFileBytes: 65_536, compress: true, compressMinBytes: 100 };
  const table = await StaticTable.build({ prefix: '/static/', root }, options);
  const file = table.get('/static/a.css');
  assert.ok(file);
  return { table, bodies: table.bodies, file, root };
}

test('one of those who want a file at the same time loads it, for all', async (t) => {
  const { bodies, file } = await load(t, 'x'.repeat(1000));
  for (const wanted of [file.identity, file.choose('br')]) {
    const contents = await Promise.all(Array.from({ length: 10 }, () => bodies.fetch(file, wanted)));
    assert.equal(new Set(contents.map(({ body }) => body)).size, 1);
    assert.equal(contents[0]?.body, wanted.body);
  }
});

test('a failure is told to all who wait, and not remembered', async (t) => {
  const { bodies, file, root } = await load(t, 'x'.repeat(1000));
  await rm(join(root, 'a.css'));
  const outcomes = await Promise.allSettled([1, 2, 3].map(() => bodies.fetch(file, file.choose('br'))));
  assert.deepEqual(
    outcomes.map(({ status }) => status),
    ['rejected', 'rejected', 'rejected'],
  );
  await putFile(join(root, 'a.css'), 'y'.repeat(500));
  assert.equal((await bodies.fetch(file, file.identity)).size, 500);
});

test('an encoding that saves nothing is not offered again', async (t) => {
  const { bodies, file } = await load(t, randomBytes(1000));
  assert.equal(file.choose('br, gzip').encoding, 'br');
  const content = await bodies.fetch(file, file.choose('br'));
  assert.equal(content.representation, file.identity);
  assert.equal(file.choose('br').encoding, 'identity');
});

test('an answer from memory counts as a use, which keeps the body there', async (t) => {
  const { table, file } = await load(t, 'x');
  const served = await serveHandler(t, serveStatic(table, new RecordingLog()));
  await served.ask('/static/a.css');
  assert.ok(!file.identity.wasUsed);
  await served.ask('/static/a.css');
  assert.ok(file.identity.wasUsed);
});

import assert from 'node:assert/strict';
import { mkdir, rename, rm, symlink } from 'node:fs/promises';
import { join } from 'node:path';
import { type TestContext, test } from 'node:test';
import { gunzipSync } from 'node:zlib';
import { serveStatic } from '../../../../src/front/files/serve-static.js';
import { StaticTable } from '../../../../src/front/files/static-table.js';
import { FakeClock } from '../../../support/fake-clock.js';
import { countOpenFiles, makeFileTree, putFile } from '../../../support/file-tree.js';
import { RecordingLog } from '../../../support/recording-log.js';
import { type ServedHandler, serveHandler } from '../../../support/serve-handler.js';

const digits = '0123456789';
const later = new Date('2024-05-02T10:00:00Z');
const style = '.line { color: red }\n'.repeat(50);

interface Served {
  readonly ask: ServedHandler['ask'];
  readonly root: string;
  readonly clock: FakeClock;
}

/** A table that was built when there were only these files. */
async function serveTree(
  t: TestContext,
  files: Record<string, string>,
  { isWritten = true, memoryFileBytes = 1024 } = {},
): Promise<Served> {
  const parent = await makeFileTree(t, { 'outside/secret.txt': 'secret' });
  const root = join(parent, 'root');
  for (const [below, text] of Object.entries(files)) await putFile(join(root, below), text);
  const clock = new FakeClock();
  const options = { memoryFileBytes, compress: true, compressMinBytes: 100 };
  const table = await StaticTable.build({ prefix: '/static/', root, isWritten }, options, clock);
  const served = await serveHandler(t, serveStatic(table, new RecordingLog()));
  return { ask: (path, how) => served.ask(path, how), root, clock };
}

for (const memoryFileBytes of [1024, -1]) {
  const place = memoryFileBytes < 0 ? 'disk' : 'memory';

  test(`a file that is written later is answered like the others (${place})`, async (t) => {
    const served = await serveTree(t, { 'known.css': digits }, { memoryFileBytes });
    const url = '/static/CACHE/css/output.0123456789ab.css';
    assert.equal((await served.ask(url)).status, 404);
    await putFile(join(served.root, 'CACHE/css/output.0123456789ab.css'), digits);
    const known = await served.ask('/static/known.css');
    const late = await served.ask(url);
    assert.equal(late.status, 200);
    assert.equal(late.body.toString(), digits);
    const own = { date: '', 'x-request-id': '' };
    assert.deepEqual({ ...late.headers, ...own }, { ...known.headers, ...own });

    const head = await served.ask(url, { method: 'HEAD' });
    assert.equal(head.status, 200);
    assert.equal(head.headers['content-length'], '10');
    assert.equal(head.body.length, 0);
    const { etag = '' } = late.headers;
    assert.equal((await served.ask(url, { headers: { 'If-None-Match': etag } })).status, 304);
    const part = await served.ask(url, { headers: { Range: 'bytes=2-4' } });
    assert.equal(part.status, 206);
    assert.equal(part.body.toString(), '234');
    assert.equal((await served.ask(url, { method: 'POST' })).status, 405);
    assert.equal(await countOpenFiles(served.root), 0);
  });
}

test('it is compressed like the others, and a compressed file beside it is used', async (t) => {
  const served = await serveTree(t, {});
  await putFile(join(served.root, 'a.css'), style);
  await putFile(join(served.root, 'b.css'), style);
  await putFile(join(served.root, 'b.css.gz'), 'made by the build');
  const headers = { 'Accept-Encoding': 'gzip' };
  const made = await served.ask('/static/a.css', { headers });
  assert.equal(gunzipSync(made.body).toString(), style);
  assert.equal(made.headers.vary, 'Accept-Encoding');
  const sibling = await served.ask('/static/b.css', { headers });
  assert.equal(sibling.body.toString(), 'made by the build');
  assert.equal(sibling.headers['content-encoding'], 'gzip');
});

test('it changes, and goes, within a second', async (t) => {
  const served = await serveTree(t, {});
  const path = join(served.root, 'a.txt');
  await putFile(path, 'first');
  assert.equal((await served.ask('/static/a.txt')).body.toString(), 'first');
  await putFile(path, 'second', later);
  served.clock.advance(1000);
  assert.equal((await served.ask('/static/a.txt')).body.toString(), 'second');
  await rm(path);
  served.clock.advance(1000);
  assert.equal((await served.ask('/static/a.txt')).status, 404);
});

test('a STATIC_ROOT that is made later, and one that is a link which is turned', async (t) => {
  const served = await serveTree(t, {});
  assert.equal((await served.ask('/static/a.txt')).status, 404);
  const parent = join(served.root, '..');
  await putFile(join(parent, 'one/a.txt'), 'one');
  await putFile(join(parent, 'two/a.txt'), 'two', later);
  await symlink('one', served.root);
  assert.equal((await served.ask('/static/a.txt')).body.toString(), 'one');
  await symlink('two', join(parent, 'turned'));
  await rename(join(parent, 'turned'), served.root);
  served.clock.advance(1000);
  assert.equal((await served.ask('/static/a.txt')).body.toString(), 'two');
});

test('nothing hidden, no folder, and nothing outside is served', async (t) => {
  const served = await serveTree(t, { 'known.css': digits });
  const { root } = served;
  const hidden = ['.env', '.git/config', 'CACHE/.cache', 'a/.hidden/b.txt'];
  for (const below of hidden) await putFile(join(root, below), 'secret');
  await putFile(join(root, '.well-known/security.txt'), 'Contact: a@example.org');
  await mkdir(join(root, 'folder'));
  await symlink('../outside/secret.txt', join(root, 'link.txt'));
  await symlink('../outside', join(root, 'linked'));
  await symlink('known.css', join(root, 'inside.css'));
  const refused = [...hidden, 'link.txt', 'linked/secret.txt', 'folder', 'known.css/a', 'x'.repeat(300)];
  for (const below of refused) assert.equal((await served.ask(`/static/${below}`)).status, 404, below);
  const escapes = ['%2e%2e/outside/secret.txt', '..%2foutside/secret.txt', 'a%00b', 'folder/', '//a'];
  for (const below of escapes) {
    const { status, body } = await served.ask(`/static/${below}`);
    assert.ok(status === 404 || status === 400, below);
    assert.doesNotMatch(body.toString(), /^secret/, below);
  }
  assert.equal((await served.ask('/static/.well-known/security.txt')).status, 200);
  assert.equal((await served.ask('/static/inside.css')).body.toString(), digits);
});

test('a folder that becomes a link to the outside, after its file was looked at, gives nothing away', async (t) => {
  const served = await serveTree(t, {}, { memoryFileBytes: -1 });
  await putFile(join(served.root, 'sub/secret.txt'), 'public');
  assert.equal((await served.ask('/static/sub/secret.txt')).body.toString(), 'public');
  await rename(join(served.root, 'sub'), join(served.root, 'was'));
  await symlink('../outside', join(served.root, 'sub'));
  const { status } = await served.ask('/static/sub/secret.txt');
  assert.equal(status, 404);
  served.clock.advance(1000);
  assert.equal((await served.ask('/static/sub/secret.txt')).status, 404);
  assert.equal(await countOpenFiles(join(served.root, '..')), 0);
});

test('a folder that is part of a release stays as it was', async (t) => {
  const served = await serveTree(t, {}, { isWritten: false });
  await putFile(join(served.root, 'late.txt'), 'late');
  assert.equal((await served.ask('/static/late.txt')).status, 404);
});

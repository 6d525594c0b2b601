import assert from 'node:assert/strict';
import { symlink, utimes } from 'node:fs/promises';
import { join } from 'node:path';
import { test } from 'node:test';
import type { Representation } from '../../../../src/front/files/static-file.js';
import { StaticTable } from '../../../../src/front/files/static-table.js';
import { fileTime, makeFileTree, putFile } from '../../../support/file-tree.js';

const options = { memoryFileBytes: 1024, compress: true, compressMinBytes: 100 };
const prefix = '/static/';

function header(representation: Representation | undefined, name: string): string | undefined {
  const at = representation?.headers.indexOf(name) ?? -1;
  return at < 0 ? undefined : representation?.headers[at + 1];
}

test('a tree becomes URLs, at any depth and under any prefix', async (t) => {
  const root = await makeFileTree(t, {
    'app.css': 'x',
    'a/b/c.js': 'y',
    'grüße/日本.txt': 'z',
    'a b.txt': '',
  });
  const table = await StaticTable.build({ prefix: '/x/static/', root }, options);
  assert.equal(table.size, 4);
  for (const below of ['app.css', 'a/b/c.js', 'grüße/日本.txt', 'a b.txt']) {
    assert.equal(table.get(`/x/static/${below}`)?.disk.path.endsWith(below), true, below);
  }
  assert.equal(table.get('/x/static/a'), undefined);
  assert.equal(table.get('/x/static/a/'), undefined);
});

test('a missing root is an empty table that says so', async (t) => {
  const root = join(await makeFileTree(t, {}), 'nowhere');
  const table = await StaticTable.build({ prefix, root }, options);
  assert.equal(table.size, 0);
  assert.ok(table.isRootMissing);
});

test('hidden files and folders are left out, but not .well-known', async (t) => {
  const root = await makeFileTree(t, {
    '.env': 'secret',
    '.git/config': 'secret',
    'a/.hidden': 'secret',
    '.well-known/security.txt': 'public',
    '.well-known/.secret': 'secret',
    '.well-knowns/x': 'secret',
  });
  const table = await StaticTable.build({ prefix, root }, options);
  assert.equal(table.size, 1);
  assert.ok(table.get('/static/.well-known/security.txt'));
});

test('symlinks are followed inside the root and counted where they lead out, in circles or nowhere', async (t) => {
  const outside = await makeFileTree(t, { secret: 'secret', 'folder/secret': 'secret' });
  const root = await makeFileTree(t, { 'real.css': 'x', 'folder/deep.css': 'y' });
  await symlink('real.css', join(root, 'inside.css'));
  await symlink('folder', join(root, 'inside-folder'));
  await symlink(join(outside, 'secret'), join(root, 'outside.css'));
  await symlink(join(outside, 'folder'), join(root, 'outside-folder'));
  await symlink('nothing', join(root, 'dangling'));
  await symlink('..', join(root, 'folder', 'circle'));
  await symlink('.', join(root, 'self'));
  const table = await StaticTable.build({ prefix, root }, options);
  assert.deepEqual(
    ['real.css', 'inside.css', 'folder/deep.css', 'inside-folder/deep.css'].filter((below) =>
      table.get(prefix + below),
    ),
    ['real.css', 'inside.css', 'folder/deep.css', 'inside-folder/deep.css'],
  );
  assert.equal(table.size, 4);
  assert.equal(table.get('/static/inside.css')?.disk.path.endsWith('/real.css'), true);
  // The circle is met in `folder` and again in `inside-folder`.
  assert.equal(table.skippedLinks, 6);
});

test('a root that is a symlink itself is fine', async (t) => {
  const base = await makeFileTree(t, { 'release-1/app.css': 'x' });
  await symlink('release-1', join(base, 'current'));
  const table = await StaticTable.build({ prefix, root: join(base, 'current') }, options);
  assert.equal(table.size, 1);
  assert.equal(table.skippedLinks, 0);
});

test('a root beside one with the same beginning is outside', async (t) => {
  const base = await makeFileTree(t, { 'static/a.css': 'x', 'static-old/b.css': 'y' });
  await symlink(join(base, 'static-old/b.css'), join(base, 'static/b.css'));
  const table = await StaticTable.build({ prefix, root: join(base, 'static') }, options);
  assert.equal(table.get('/static/b.css'), undefined);
  assert.equal(table.skippedLinks, 1);
});

test('what the finders found is served from wherever it is, symlinks included', async (t) => {
  const folder = await makeFileTree(t, { 'app/app.css': 'x', 'lib/jquery.js': 'y' });
  await symlink(join(folder, 'lib/jquery.js'), join(folder, 'app/jquery.js'));
  const found = {
    'app/app.css': join(folder, 'app/app.css'),
    'jquery.js': join(folder, 'app/jquery.js'),
    'gone.css': join(folder, 'gone.css'),
    folder: join(folder, 'app'),
    '.hidden': join(folder, 'app/app.css'),
  };
  const table = await StaticTable.build({ prefix, found }, options);
  assert.equal(table.size, 2);
  assert.ok(table.get('/static/app/app.css'));
  assert.equal(table.get('/static/jquery.js')?.disk.path, join(folder, 'lib/jquery.js'));
});

test('names in the manifest are immutable, all others revalidate', async (t) => {
  const manifest = { paths: { 'a.css': 'a.0123456789ab.css' }, version: '1.1', hash: '' };
  const root = await makeFileTree(t, {
    'a.css': 'x',
    'a.0123456789ab.css': 'x',
    'looks-hashed.0123456789ab.css': 'x',
    'staticfiles.json': JSON.stringify(manifest),
  });
  const source = { prefix, root, manifest: join(root, 'staticfiles.json') };
  const table = await StaticTable.build(source, options);
  const policy = (below: string) => header(table.get(prefix + below)?.identity, 'Cache-Control');
  assert.equal(policy('a.0123456789ab.css'), 'max-age=31536000, public, immutable');
  assert.equal(policy('a.css'), 'no-cache');
  assert.equal(policy('looks-hashed.0123456789ab.css'), 'no-cache');
});

test('siblings attach to their original, the smallest first, and stay reachable themselves', async (t) => {
  const root = await makeFileTree(t, {
    'app.js': 'x'.repeat(100),
    'app.js.br': 'x'.repeat(40),
    'app.js.gz': 'x'.repeat(30),
    'app.js.zst': 'x'.repeat(50),
    'orphan.js.gz': 'x',
  });
  const table = await StaticTable.build({ prefix, root }, options);
  const file = table.get('/static/app.js');
  assert.equal(file?.choose('br, gzip, zstd').encoding, 'gzip');
  assert.equal(file?.choose('br, zstd').encoding, 'br');
  assert.equal(file?.choose('zstd').encoding, 'zstd');
  assert.equal(file?.choose(undefined).encoding, 'identity');
  assert.equal(header(table.get('/static/app.js.gz')?.identity, 'Content-Type'), 'application/gzip');
  assert.equal(header(table.get('/static/app.js.gz')?.identity, 'Content-Encoding'), undefined);
  assert.ok(table.get('/static/orphan.js.gz'));
});

test('a sibling that is not smaller, or of older content, is not used', async (t) => {
  const root = await makeFileTree(t, { 'a.js': '1234', 'a.js.gz': '1234', 'b.js': '1234', 'c.js': '1234' });
  const wellBefore = new Date(fileTime.getTime() - 3_600_000);
  const justBefore = new Date(fileTime.getTime() - 5_000);
  await putFile(join(root, 'b.js.gz'), '1', wellBefore);
  await putFile(join(root, 'c.js.gz'), '1', justBefore);
  const table = await StaticTable.build({ prefix, root }, options);
  assert.equal(table.get('/static/a.js')?.choose('gzip').encoding, 'identity');
  assert.equal(table.get('/static/b.js')?.choose('gzip').encoding, 'identity');
  assert.equal(table.get('/static/c.js')?.choose('gzip').encoding, 'gzip');
});

test('a hashed name cannot have a sibling of other content, whatever the clock said', async (t) => {
  const root = await makeFileTree(t, { 'a.12.js': '1234', 'm.json': '{"paths":{"a.js":"a.12.js"}}' });
  await putFile(join(root, 'a.12.js.gz'), '1', new Date(0));
  const table = await StaticTable.build({ prefix, root, manifest: join(root, 'm.json') }, options);
  assert.equal(table.get('/static/a.12.js')?.choose('gzip').encoding, 'gzip');
});

test('text from compressMinBytes on is offered compressed, unless that is switched off', async (t) => {
  const root = await makeFileTree(t, {
    'long.css': 'x'.repeat(100),
    'short.css': 'x'.repeat(99),
    'photo.png': 'x'.repeat(100),
  });
  const on = await StaticTable.build({ prefix, root }, options);
  assert.equal(on.get('/static/long.css')?.choose('br, gzip').encoding, 'br');
  assert.equal(on.get('/static/long.css')?.choose('gzip').encoding, 'gzip');
  assert.equal(on.get('/static/long.css')?.choose('zstd').encoding, 'identity');
  assert.equal(on.get('/static/short.css')?.choose('br').encoding, 'identity');
  assert.equal(on.get('/static/photo.png')?.choose('br').encoding, 'identity');
  assert.equal(header(on.get('/static/long.css')?.identity, 'Vary'), 'Accept-Encoding');
  assert.equal(header(on.get('/static/short.css')?.identity, 'Vary'), undefined);
  assert.equal(header(on.get('/static/photo.png')?.identity, 'Vary'), undefined);
  const off = await StaticTable.build({ prefix, root }, { ...options, compress: false });
  assert.equal(off.get('/static/long.css')?.choose('br').encoding, 'identity');
  assert.equal(header(off.get('/static/long.css')?.identity, 'Vary'), undefined);
});

test('each encoding has a tag of its own', async (t) => {
  const root = await makeFileTree(t, { 'a.css': 'x'.repeat(200) });
  const file = (await StaticTable.build({ prefix, root }, options)).get('/static/a.css');
  const tags = ['br', 'gzip', 'identity'].map((encoding) => file?.choose(encoding).etag);
  assert.equal(new Set(tags).size, 3);
});

test('a changed file gets a new tag', async (t) => {
  const root = await makeFileTree(t, { 'a.css': 'one' });
  const before = (await StaticTable.build({ prefix, root }, options)).get('/static/a.css')?.identity.etag;
  const later = new Date(fileTime.getTime() + 1000);
  await utimes(join(root, 'a.css'), later, later);
  const after = (await StaticTable.build({ prefix, root }, options)).get('/static/a.css')?.identity.etag;
  assert.notEqual(after, before);
});

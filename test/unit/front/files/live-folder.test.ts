import assert from 'node:assert/strict';
import { mkdir, rename, rm, symlink } from 'node:fs/promises';
import { join } from 'node:path';
import { type TestContext, test } from 'node:test';
import { LiveFolder } from '../../../../src/front/files/live-folder.js';
import { StaticFile } from '../../../../src/front/files/static-file.js';
import { FakeClock } from '../../../support/fake-clock.js';
import { makeFileTree, putFile } from '../../../support/file-tree.js';

const text = 'one and the same line\n'.repeat(50);
const later = new Date('2024-05-02T10:00:00Z');

async function open(t: TestContext, files: Record<string, string>) {
  const root = await makeFileTree(t, files);
  const clock = new FakeClock();
  const options = { memoryFileBytes: 65536, compress: true, compressMinBytes: 100 };
  return { root, clock, folder: new LiveFolder(root, options, clock) };
}

async function read(folder: LiveFolder, below: string): Promise<string> {
  const file = await folder.find(below);
  assert.ok(file instanceof StaticFile, `${below} is ${file}`);
  const { body } = await folder.bodies.fetch(file, file.identity);
  if (Buffer.isBuffer(body)) return body.toString();
  const read = await body.readFile('utf8');
  await body.close();
  return read;
}

test('files, folders, and what is not there', async (t) => {
  const { folder } = await open(t, { 'a.txt': 'a', 'sub/b.txt': 'b' });
  assert.equal(await read(folder, 'a.txt'), 'a');
  assert.equal(await read(folder, 'sub/b.txt'), 'b');
  assert.equal(await folder.find('sub'), 'folder');
  assert.equal(await folder.find(''), 'folder');
  for (const below of ['c.txt', 'sub/c.txt', 'a.txt/b', 'x'.repeat(300)]) {
    assert.equal(await folder.find(below), undefined, below);
  }
});

test('a file is looked at once a second, and keeps its entry while it stays the same', async (t) => {
  const { root, clock, folder } = await open(t, { 'a.txt': 'before' });
  const first = await folder.find('a.txt');
  assert.equal(await read(folder, 'a.txt'), 'before');
  await putFile(join(root, 'a.txt'), 'after', later);
  clock.advance(999);
  assert.equal(await folder.find('a.txt'), first);
  clock.advance(1);
  assert.notEqual(await folder.find('a.txt'), first);
  assert.equal(await read(folder, 'a.txt'), 'after');

  const second = await folder.find('a.txt');
  clock.advance(1000);
  assert.equal(await folder.find('a.txt'), second);
});

test('a file that is added is found at once, one that is removed is missed within a second', async (t) => {
  const { root, clock, folder } = await open(t, {});
  assert.equal(await folder.find('new.txt'), undefined);
  await putFile(join(root, 'new.txt'), 'new');
  assert.equal(await read(folder, 'new.txt'), 'new');
  await rm(join(root, 'new.txt'));
  clock.advance(1000);
  assert.equal(await folder.find('new.txt'), undefined);
});

test('compressed siblings are used, also one that comes later, until the original changes', async (t) => {
  const { root, clock, folder } = await open(t, { 'a.css': text });
  const encodingOf = async () => ((await folder.find('a.css')) as StaticFile).choose('gzip, zstd').encoding;
  assert.equal(await encodingOf(), 'gzip', 'made on demand');
  await putFile(join(root, 'a.css.zst'), 'compressed');
  clock.advance(1000);
  assert.equal(await encodingOf(), 'zstd');
  await putFile(join(root, 'a.css'), `${text}more\n`, later);
  clock.advance(1000);
  assert.equal(await encodingOf(), 'gzip', 'the sibling is of the old content');
});

test('many ask at the same time: one looks', async (t) => {
  const { folder } = await open(t, { 'a.txt': 'a' });
  const files = await Promise.all(Array.from({ length: 50 }, () => folder.find('a.txt')));
  assert.equal(new Set(files).size, 1);
});

test('a symbolic link is followed within the folder only', async (t) => {
  const { root, folder } = await open(t, { 'inside/a.txt': 'a' });
  const outside = await makeFileTree(t, { 'secret.txt': 'secret' });
  await symlink('inside', join(root, 'link'));
  await symlink(outside, join(root, 'out'));
  await symlink(join(outside, 'secret.txt'), join(root, 'secret.txt'));
  await symlink('nowhere', join(root, 'dangling'));
  await symlink('circle', join(root, 'circle'));
  assert.equal(await read(folder, 'link/a.txt'), 'a');
  for (const below of ['out', 'out/secret.txt', 'secret.txt', 'dangling', 'circle']) {
    assert.equal(await folder.find(below), undefined, below);
  }
});

test('a root that is a symbolic link may be turned to another folder', async (t) => {
  const base = await makeFileTree(t, { 'v1/a.txt': 'one', 'v2/a.txt': 'twoo' });
  const clock = new FakeClock();
  await symlink('v1', join(base, 'current'));
  const options = { memoryFileBytes: 65536, compress: true, compressMinBytes: 100 };
  const folder = new LiveFolder(join(base, 'current'), options, clock);
  assert.equal(await read(folder, 'a.txt'), 'one');
  await symlink('v2', join(base, 'next'));
  await rename(join(base, 'next'), join(base, 'current'));
  clock.advance(1000);
  assert.equal(await read(folder, 'a.txt'), 'twoo');
});

test('a folder that is gone for a while has nothing, and then its files again', async (t) => {
  const { root, clock, folder } = await open(t, { 'a.txt': 'a' });
  await rm(root, { recursive: true });
  assert.equal(await folder.find('a.txt'), undefined);
  await mkdir(root);
  await putFile(join(root, 'a.txt'), 'again');
  clock.advance(1000);
  assert.equal(await read(folder, 'a.txt'), 'again');
});

import assert from 'node:assert/strict';
import { mkdirSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import {
  findForeignHand,
  findReplaceableEntry,
  listPathEntries,
  type PathEntry,
} from '../../../src/settings/path-entries.js';
import { makeTempDir } from '../../support/copy-fixture.js';

const owner = { uid: 1001, gid: 1001 };

function entry(path: string, uid: number, mode: number, { gid = uid, isLink = false } = {}): PathEntry {
  const stats = {
    ...{ uid, gid, mode },
    isDirectory: () => !isLink,
    isFile: () => false,
    isSymbolicLink: () => isLink,
  };
  return { path, stats };
}

test('each folder and each link on the way is listed, the end last', (t) => {
  const dir = makeTempDir(t);
  mkdirSync(join(dir, 'real'));
  writeFileSync(join(dir, 'real', 'file'), '');
  symlinkSync('../real', join(dir, 'real', 'up'));
  symlinkSync(join(dir, 'real', 'up'), join(dir, 'link'));
  const entries = listPathEntries(join(dir, 'link', 'file'));
  const below = entries.map(({ path }) => path).filter((path) => path.startsWith(`${dir}/`));
  const names = ['link', 'real', 'real/up', 'real', 'real/file'];
  assert.deepEqual(
    below,
    names.map((name) => join(dir, name)),
  );
  assert.equal(entries[0]?.path, '/');
});

test('links in a circle are an error, and what is missing too', (t) => {
  const dir = makeTempDir(t);
  symlinkSync('b', join(dir, 'a'));
  symlinkSync('a', join(dir, 'b'));
  assert.throws(() => listPathEntries(join(dir, 'a')), { code: 'ELOOP' });
  assert.throws(() => listPathEntries(join(dir, 'c')), { code: 'ENOENT' });
});

test('a file is of root alone when nothing on its way is of others', () => {
  assert.equal(findForeignHand('/etc/passwd'), undefined);
  assert.match(findForeignHand('/etc') ?? '', /\/etc is not a file/);
  assert.match(findForeignHand('/no/such/file') ?? '', /cannot be looked at/);
});

test('a temporary folder is not of root alone', (t) => {
  const path = join(makeTempDir(t), 'easyserve.toml');
  writeFileSync(path, '');
  assert.notEqual(findForeignHand(path), undefined);
});

const end = entry('/a/b', 1001, 0o40755);
for (const [what, before, reason] of [
  ['of root', entry('/a', 0, 0o40755), undefined],
  ['of the owner, who may let anybody in', entry('/a', 1001, 0o40775), undefined],
  ['with the sticky bit', entry('/a', 0, 0o41777), undefined],
  ["a link of the owner's", entry('/a', 1001, 0o120777, { isLink: true }), undefined],
  ["that root's group can write", entry('/a', 0, 0o40775), undefined],
  ['of somebody else', entry('/a', 1002, 0o40755), /belongs to the user with the number 1002/],
  ["a link of somebody else's", entry('/a', 1002, 0o120777, { isLink: true }), /number 1002/],
  ['that everybody can write', entry('/a', 0, 0o40757), /every user can write \/a/],
  ['that a group can write', entry('/a', 0, 0o40775, { gid: 33 }), /group with the number 33 can write/],
] as const) {
  test(`a folder below one ${what} ${reason === undefined ? 'stays' : 'can be replaced'}`, () => {
    const found = findReplaceableEntry([before, end], owner);
    if (reason === undefined) assert.equal(found, undefined);
    else assert.match(found ?? '', reason);
  });
}

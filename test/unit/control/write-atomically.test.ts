import assert from 'node:assert/strict';
import { mkdirSync, readdirSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { createAtomically, writeAtomically } from '../../../src/control/write-atomically.js';
import { makeTempDir } from '../../support/copy-fixture.js';

test('a file is replaced as a whole, for its owner alone, and no draft stays', async (t) => {
  const folder = makeTempDir(t);
  const path = join(folder, 'x.json');
  writeFileSync(path, 'old', { mode: 0o644 });
  await writeAtomically(path, 'new');
  assert.equal(readFileSync(path, 'utf8'), 'new');
  assert.equal(statSync(path).mode & 0o777, 0o600);
  assert.deepEqual(readdirSync(folder), ['x.json']);
});

test('what cannot be replaced stays as it is, and no draft beside it', async (t) => {
  const folder = makeTempDir(t);
  const path = join(folder, 'x.json');
  mkdirSync(path);
  await assert.rejects(writeAtomically(path, 'new'), { code: 'EISDIR' });
  await assert.rejects(writeAtomically(join(folder, 'missing', 'x.json'), 'new'), { code: 'ENOENT' });
  assert.deepEqual(readdirSync(folder), ['x.json']);
});

test('of several that create a file one succeeds, and its content stays', async (t) => {
  const folder = makeTempDir(t);
  const path = join(folder, 'x');
  const contents = Array.from({ length: 6 }, (_, index) => `content ${index}`);
  const outcomes = await Promise.all(contents.map((content) => createAtomically(path, content)));
  assert.equal(outcomes.filter((isOurs) => isOurs).length, 1);
  assert.equal(readFileSync(path, 'utf8'), contents[outcomes.indexOf(true)]);
  assert.equal(await createAtomically(path, 'late'), false);
  assert.deepEqual(readdirSync(folder), ['x']);
});

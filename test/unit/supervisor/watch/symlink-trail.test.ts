import assert from 'node:assert/strict';
import { mkdirSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { type TestContext, test } from 'node:test';
import { addTrail, type Trail } from '../../../../src/supervisor/watch/symlink-trail.js';
import { makeTempDir } from '../../../support/copy-fixture.js';

/** Below `root`, as plain data. */
async function trailOf(root: string, ...names: string[]): Promise<Record<string, string[]>> {
  const trail: Trail = new Map();
  await addTrail(trail, join(root, ...names));
  return Object.fromEntries([...trail].map(([folder, found]) => [folder.replace(root, '.'), [...found]]));
}

function makeRoot(t: TestContext): string {
  const root = makeTempDir(t);
  mkdirSync(join(root, 'a', 'b'), { recursive: true });
  writeFileSync(join(root, 'a', 'b', 'file'), '');
  return root;
}

test('of a plain file its folder and name matter', async (t) => {
  assert.deepEqual(await trailOf(makeRoot(t), 'a', 'b', 'file'), { './a/b': ['file'] });
});

test('each link on the way matters', async (t) => {
  const root = makeRoot(t);
  symlinkSync('a', join(root, 'current'));
  symlinkSync('../b/file', join(root, 'a', 'b', 'link'));
  symlinkSync(join(root, 'current', 'b', 'link'), join(root, 'start'));
  assert.deepEqual(await trailOf(root, 'start'), { '.': ['start', 'current'], './a/b': ['link', 'file'] });
});

test('of what is missing the first missing name matters', async (t) => {
  const root = makeRoot(t);
  assert.deepEqual(await trailOf(root, 'a', 'x', 'y', 'file'), { './a': ['x'] });
  symlinkSync('gone/file', join(root, 'dangling'));
  assert.deepEqual(await trailOf(root, 'dangling'), { '.': ['dangling', 'gone'] });
  assert.deepEqual(await trailOf(root, 'a', 'b', 'file', 'below'), { './a/b': ['file'] });
});

test('links in a circle end', async (t) => {
  const root = makeRoot(t);
  symlinkSync('pong', join(root, 'ping'));
  symlinkSync('ping', join(root, 'pong'));
  assert.deepEqual(await trailOf(root, 'ping'), { '.': ['ping', 'pong'] });
});

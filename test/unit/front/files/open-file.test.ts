import assert from 'node:assert/strict';
import { appendFile, mkdtemp, rm, utimes, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type TestContext, test } from 'node:test';
import { openSettled } from '../../../../src/front/files/open-file.js';
import { fileTime } from '../../../support/file-tree.js';

test('a file that nobody writes to is opened at once', async (t) => {
  const path = await makePath(t);
  await writeFile(path, 'whole');
  await utimes(path, fileTime, fileTime);
  const startedAtMs = performance.now();
  assert.equal(await readSettled(path), 'whole');
  assert.ok(performance.now() - startedAtMs < 150);
});

test('a file that is missing for a moment is waited for', async (t) => {
  const path = await makePath(t);
  const read = readSettled(path);
  await writeFile(path, 'whole');
  assert.equal(await read, 'whole');
});

test('a file that is being written is waited for', async (t) => {
  const path = await makePath(t);
  await writeFile(path, 'a part');
  const read = readSettled(path);
  await appendFile(path, ' and the rest');
  assert.equal(await read, 'a part and the rest');
});

test('a file that stays away is missing', async (t) => {
  await assert.rejects(readSettled(await makePath(t)), { code: 'ENOENT' });
});

test('a time in the future holds nothing up', async (t) => {
  const path = await makePath(t);
  await writeFile(path, 'whole');
  const inAYear = new Date(Date.now() + 365 * 86_400_000);
  await utimes(path, inAYear, inAYear);
  const startedAtMs = performance.now();
  assert.equal(await readSettled(path), 'whole');
  assert.ok(performance.now() - startedAtMs < 150);
});

async function makePath(t: TestContext): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), 'easyserve-settled-'));
  t.after(() => rm(folder, { recursive: true }));
  return join(folder, 'file');
}

async function readSettled(path: string): Promise<string> {
  const { handle } = await openSettled(path);
  try {
    return await handle.readFile('utf8');
  } finally {
    await handle.close();
  }
}

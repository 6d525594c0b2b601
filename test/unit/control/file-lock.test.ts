import assert from 'node:assert/strict';
import { mkdirSync, readdirSync, readFileSync, rmSync, statSync, utimesSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { FileLock, type HeldFileLock, readLockRecord } from '../../../src/control/file-lock.js';
import { makeTempDir } from '../../support/copy-fixture.js';

const isNobodyGone = async () => false;

async function take(path: string, isGone: (nonce: string) => boolean = () => false): Promise<HeldFileLock> {
  const taken = await new FileLock(path, async ({ nonce }) => isGone(nonce)).tryTake();
  assert.ok('held' in taken, JSON.stringify(taken));
  return taken.held;
}

test('who comes second is told who holds it', async (t) => {
  const path = join(makeTempDir(t), 'x.lock');
  const held = await take(path);
  const second = await new FileLock(path, isNobodyGone).tryTake();
  assert.ok('holder' in second);
  assert.equal(second.holder.pid, process.pid);
  assert.deepEqual(second.holder, await readLockRecord(path));
  await held.release();
  assert.equal(held.isTakenOver, false);
});

test('a holder that is gone is succeeded through any number of takeovers that were broken off', async (t) => {
  const folder = makeTempDir(t);
  const path = join(folder, 'x.lock');
  writeFileSync(path, JSON.stringify({ pid: 1, nonce: 'a' }));
  writeFileSync(`${path}.after-a`, JSON.stringify({ pid: 1, nonce: 'b' }));
  writeFileSync(`${path}.after-b`, JSON.stringify({ pid: 1, nonce: 'c' }));
  const isGone = (nonce: string) => ['a', 'b', 'c'].includes(nonce);
  const held = await take(path, isGone);
  assert.equal(held.isTakenOver, true);
  assert.deepEqual(readdirSync(folder), ['x.lock']);
});

test('a takeover that cannot be finished leaves no claim behind', async (t) => {
  const folder = makeTempDir(t);
  const path = join(folder, 'x.lock');
  writeFileSync(path, JSON.stringify({ pid: 1, nonce: 'a' }));
  const lock = new FileLock(path, async () => {
    rmSync(path);
    mkdirSync(path);
    return true;
  });
  await assert.rejects(lock.tryTake(), { code: 'EISDIR' });
  assert.deepEqual(readdirSync(folder), ['x.lock']);
});

test('what somebody else holds by now is neither touched nor removed', async (t) => {
  const path = join(makeTempDir(t), 'x.lock');
  const held = await take(path);
  utimesSync(path, 1, 1);
  await held.touch();
  assert.ok(statSync(path).mtimeMs > 1_000_000);

  const successor = JSON.stringify({ pid: 1, nonce: 'successor' });
  writeFileSync(path, successor);
  utimesSync(path, 1, 1);
  await held.touch();
  await held.release();
  assert.equal(statSync(path).mtimeMs, 1_000);
  assert.equal(readFileSync(path, 'utf8'), successor);
});

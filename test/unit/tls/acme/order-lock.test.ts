import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { mkdtemp, readdir, readFile, rm, utimes, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type TestContext, test } from 'node:test';
import { OrderLock } from '../../../../src/tls/acme/order-lock.js';
import { FakeClock } from '../../../support/fake-clock.js';

async function createPath(t: TestContext): Promise<{ path: string; folder: string; clock: FakeClock }> {
  const folder = await mkdtemp(join(tmpdir(), 'easyserve-lock-'));
  t.after(() => rm(folder, { recursive: true }));
  return { path: join(folder, 'x.lock'), folder, clock: new FakeClock() };
}

test('only one of many gets it, and the next one after its release', async (t) => {
  const { path, folder, clock } = await createPath(t);
  const locks = Array.from({ length: 8 }, () => new OrderLock(path, clock));
  const taken = (await Promise.all(locks.map((lock) => lock.tryTake()))).filter((held) => held !== undefined);
  assert.equal(taken.length, 1);
  assert.deepEqual(await readdir(folder), ['x.lock']);
  await taken[0]?.release();
  assert.deepEqual(await readdir(folder), []);
  assert.equal(clock.pending, 0);
  const next = await locks[3]?.tryTake();
  assert.notEqual(next, undefined);
  await next?.release();
});

test('that of a process of this machine that is gone is taken over by one alone', async (t) => {
  const { path, folder, clock } = await createPath(t);
  const held = await new OrderLock(path, clock).tryTake();
  const { pid } = spawnSync(process.execPath, ['-e', '']);
  const record = { ...JSON.parse(await readFile(path, 'utf8')), pid, nonce: 'gone' };
  await writeFile(path, JSON.stringify(record));
  const watchers = Array.from({ length: 8 }, () => new OrderLock(path, clock));
  const taken = (await Promise.all(watchers.map((lock) => lock.tryTake()))).filter(
    (each) => each !== undefined,
  );
  assert.equal(taken.length, 1);
  await held?.release();
  assert.deepEqual(
    await readdir(folder),
    ['x.lock'],
    'the former holder does not remove what is no longer its own',
  );
  await taken[0]?.release();
});

test('a takeover that was broken off is succeeded, by one alone', async (t) => {
  const { path, folder, clock } = await createPath(t);
  const held = await new OrderLock(path, clock).tryTake();
  const { pid } = spawnSync(process.execPath, ['-e', '']);
  const record = { ...JSON.parse(await readFile(path, 'utf8')), pid };
  await writeFile(path, JSON.stringify({ ...record, nonce: 'gone' }));
  await writeFile(`${path}.after-gone`, JSON.stringify({ ...record, nonce: 'broken-off' }));
  const locks = Array.from({ length: 8 }, () => new OrderLock(path, clock));
  const taken = (await Promise.all(locks.map((lock) => lock.tryTake()))).filter((each) => each !== undefined);
  assert.equal(taken.length, 1);
  assert.deepEqual(await readdir(folder), ['x.lock']);
  await taken[0]?.release();
  await held?.release();
});

test('a takeover on another machine is waited for while its claim is fresh', async (t) => {
  const { path, folder, clock } = await createPath(t);
  await writeFile(path, JSON.stringify({ nonce: 'far', pid: 1, machine: 'elsewhere' }));
  await writeFile(`${path}.after-far`, JSON.stringify({ nonce: 'farther', pid: 1, machine: 'elsewhere' }));
  const lock = new OrderLock(path, clock);
  assert.equal(await lock.tryTake(), undefined);
  clock.advance(59_000);
  assert.equal(await lock.tryTake(), undefined);
  clock.advance(1_000);
  const held = await lock.tryTake();
  assert.ok(held);
  await held.release();
  assert.deepEqual(
    (await readdir(folder)).filter((name) => name === 'x.lock'),
    [],
  );
});

for (const [title, content] of [
  ['of another machine', JSON.stringify({ nonce: 'far', pid: 1, machine: 'elsewhere' })],
  ['that is damaged', '{"nonce'],
] as const) {
  test(`one ${title} that nobody touches any more is taken over after a minute`, async (t) => {
    const { path, clock } = await createPath(t);
    await writeFile(path, content);
    const lock = new OrderLock(path, clock);
    assert.equal(await lock.tryTake(), undefined);
    clock.advance(59_000);
    assert.equal(await lock.tryTake(), undefined);
    clock.advance(1_000);
    const held = await lock.tryTake();
    assert.notEqual(held, undefined);
    await held?.release();
  });
}

test('one of another machine that is touched is left alone for ever', async (t) => {
  const { path, clock } = await createPath(t);
  const lock = new OrderLock(path, clock);
  await writeFile(path, JSON.stringify({ nonce: 'far', pid: 1, machine: 'elsewhere' }));
  for (let beat = 1; beat <= 5; beat++) {
    // By a clock of its own, years behind.
    await utimes(path, beat, beat);
    assert.equal(await lock.tryTake(), undefined);
    clock.advance(50_000);
  }
});

test('a folder that is not there is an error', async (t) => {
  const { folder, clock } = await createPath(t);
  const lock = new OrderLock(join(folder, 'missing', 'x.lock'), clock);
  await assert.rejects(lock.tryTake(), { code: 'ENOENT' });
});

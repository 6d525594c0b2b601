import assert from 'node:assert/strict';
import { test } from 'node:test';
import { ConcurrencyLimit } from '../../../../src/front/files/concurrency-limit.js';

test('no more than the limit run at the same time, in order of arrival', async () => {
  const limit = new ConcurrencyLimit(2);
  const started: number[] = [];
  const finish: (() => void)[] = [];
  const task = (number: number) => () => {
    started.push(number);
    return new Promise<number>((resolve) => finish.push(() => resolve(number)));
  };
  const all = Promise.all([1, 2, 3, 4].map((number) => limit.run(task(number))));
  assert.deepEqual(started, [1, 2]);
  finish[1]?.();
  await new Promise(setImmediate);
  assert.deepEqual(started, [1, 2, 3]);
  finish[0]?.();
  await new Promise(setImmediate);
  assert.deepEqual(started, [1, 2, 3, 4]);
  finish[2]?.();
  finish[3]?.();
  assert.deepEqual(await all, [1, 2, 3, 4]);
});

test('a task that fails frees its place and rejects for its caller alone', async () => {
  const limit = new ConcurrencyLimit(1);
  const failing = limit.run(() => Promise.reject(new Error('no luck')));
  const following = limit.run(() => Promise.resolve('fine'));
  await assert.rejects(failing, /no luck/);
  assert.equal(await following, 'fine');
});

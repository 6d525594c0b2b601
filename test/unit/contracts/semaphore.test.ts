import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Semaphore } from '../../../src/contracts/semaphore.js';

test('no more than the permits run at the same time, in order of arrival', async () => {
  const semaphore = new Semaphore(2);
  const started: number[] = [];
  const finish: (() => void)[] = [];
  const task = (number: number) => () => {
    started.push(number);
    return new Promise<number>((resolve) => finish.push(() => resolve(number)));
  };
  const all = Promise.all([1, 2, 3, 4].map((number) => semaphore.run(task(number))));
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

test('a task that fails frees its permit and rejects for its caller alone', async () => {
  const semaphore = new Semaphore(1);
  const failing = semaphore.run(() => Promise.reject(new Error('no luck')));
  const following = semaphore.run(() => Promise.resolve('fine'));
  await assert.rejects(failing, /no luck/);
  assert.equal(await following, 'fine');
});

test('each item: never more than the permits at a time, and all of them', async () => {
  let running = 0;
  let most = 0;
  const done: number[] = [];
  await new Semaphore(2).runEach([1, 2, 3, 4, 5], async (item) => {
    running += 1;
    most = Math.max(most, running);
    await new Promise((resolve) => setImmediate(resolve));
    running -= 1;
    done.push(item);
  });
  assert.equal(most, 2);
  assert.deepEqual(done.sort(), [1, 2, 3, 4, 5]);
});

test('each item: after a failure nothing more begins, and what is under way is waited for', async () => {
  const begun: number[] = [];
  let hasEnded = false;
  const running = new Semaphore(2).runEach([1, 2, 3, 4], async (item) => {
    begun.push(item);
    if (item === 1) throw new Error('first');
    await new Promise((resolve) => setImmediate(resolve));
    hasEnded = true;
    throw new Error('second');
  });
  await assert.rejects(running, /first/);
  assert.deepEqual([begun, hasEnded], [[1, 2], true]);
});

test('each item: nothing to do', async () => {
  await new Semaphore(2).runEach([], () => assert.fail());
});

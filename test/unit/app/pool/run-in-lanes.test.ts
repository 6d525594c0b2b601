import assert from 'node:assert/strict';
import { test } from 'node:test';
import { runInLanes } from '../../../../src/app/pool/run-in-lanes.js';

test('never more than so many at a time, and all of them', async () => {
  let running = 0;
  let most = 0;
  const done: number[] = [];
  await runInLanes([1, 2, 3, 4, 5], 2, async (item) => {
    running += 1;
    most = Math.max(most, running);
    await new Promise((resolve) => setImmediate(resolve));
    running -= 1;
    done.push(item);
  });
  assert.equal(most, 2);
  assert.deepEqual(done.sort(), [1, 2, 3, 4, 5]);
});

test('after a failure nothing more begins, and what is under way is waited for', async () => {
  const begun: number[] = [];
  let hasEnded = false;
  const running = runInLanes([1, 2, 3, 4], 2, async (item) => {
    begun.push(item);
    if (item === 1) throw new Error('first');
    await new Promise((resolve) => setImmediate(resolve));
    hasEnded = true;
    throw new Error('second');
  });
  await assert.rejects(running, /first/);
  assert.deepEqual([begun, hasEnded], [[1, 2], true]);
});

test('nothing to do', async () => {
  await runInLanes([], 2, () => assert.fail());
});

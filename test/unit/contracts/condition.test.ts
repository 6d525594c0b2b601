import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Condition } from '../../../src/contracts/condition.js';
import { FakeClock } from '../../support/fake-clock.js';

test('what holds already, or has no time, is not waited for', async () => {
  const clock = new FakeClock();
  const condition = new Condition(clock);
  await condition.waitFor(() => true);
  await condition.waitFor(() => false, 0);
  await condition.waitFor(() => false, -1);
  assert.equal(clock.pending, 0);
});

test('each waits for its own, and looks when it is notified', async () => {
  const clock = new FakeClock();
  const condition = new Condition(clock);
  const over: string[] = [];
  let count = 0;
  const waits = [
    condition.waitFor(() => count >= 1, 1000).then(() => over.push('one')),
    condition.waitFor(() => count >= 2).then(() => over.push('two')),
  ];
  count = 1;
  await clock.advanceAsync(0);
  assert.deepEqual(over, []);
  condition.notifyAll();
  await waits[0];
  assert.deepEqual([over, clock.pending], [['one'], 0]);
  count = 2;
  condition.notifyAll();
  await waits[1];
  assert.deepEqual(over, ['one', 'two']);
});

test('the deadline ends a wait', async () => {
  const clock = new FakeClock();
  let isOver = false;
  void new Condition(clock)
    .waitFor(() => false, 1000)
    .then(() => {
      isOver = true;
    });
  await clock.advanceAsync(999);
  assert.equal(isOver, false);
  await clock.advanceAsync(1);
  assert.deepEqual([isOver, clock.pending], [true, 0]);
});

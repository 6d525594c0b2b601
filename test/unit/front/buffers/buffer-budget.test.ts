import assert from 'node:assert/strict';
import { test } from 'node:test';
import { bufferLimitsOf } from '../../../../src/front/buffers/buffer-limits.js';
import { FakeClock } from '../../../support/fake-clock.js';
import { makeBudget } from '../../../support/make-spool.js';

const gibibyte = 1024 ** 3;

test('memory is lent up to its limit; what is charged in any case makes it full', () => {
  const budget = makeBudget({ memoryBytes: 100 });
  assert.equal(budget.takeMemory(60), true);
  assert.equal(budget.takeMemory(60), false);
  assert.deepEqual([budget.memoryBytes, budget.isFull], [60, false]);
  budget.chargeMemory(50);
  assert.equal(budget.isFull, true);
  budget.releaseMemory(110);
  assert.deepEqual([budget.memoryBytes, budget.isFull], [0, false]);
  budget.noteUntaken(100);
  assert.equal(budget.takeMemory(1), false);
});

test('the spool takes half of what is free, and never the last percents', () => {
  let freeBytes = 100;
  const clock = new FakeClock();
  const readDiskSpace = () => ({ totalBytes: 1000, freeBytes });
  const budget = makeBudget({ clock, readDiskSpace, minFreePercent: 5 });
  assert.equal(budget.diskBytesLeft, 50);
  assert.equal(budget.takeDisk(51), false);
  assert.equal(budget.takeDisk(30), true);
  assert.equal(budget.diskBytesLeft, 20, 'before the disk is looked at again');
  freeBytes = 70;
  clock.advance(1000);
  assert.equal(budget.diskBytesLeft, 20, 'afterwards too');
  freeBytes = 55;
  clock.advance(1000);
  assert.equal(budget.diskBytesLeft, 5, 'others have filled it');
  freeBytes = 40;
  clock.advance(1000);
  assert.equal(budget.takeDisk(1), false);
  budget.releaseDisk(30);
  assert.equal(budget.diskBytes, 0);
});

test('who waits is called once something is given back', async () => {
  const budget = makeBudget({ memoryBytes: 100 });
  budget.chargeMemory(100);
  const called = new Promise<void>((resolve) => {
    budget.onceReleased(resolve);
  });
  budget.onceReleased(() => assert.fail('this one was cancelled'))();
  budget.releaseMemory(10);
  await called;
});

test('the limits follow the memory, and each front has its share', () => {
  const automatic = { bufferMemoryBytes: 'auto', spoolMaxBytes: 'auto', spoolMinFreePercent: 5 } as const;
  const memoryOf = (memoryBytes: number, fronts: number) =>
    bufferLimitsOf(automatic, { memoryBytes, fronts }).memoryBytes / 1024 ** 2;
  assert.deepEqual([memoryOf(gibibyte, 1), memoryOf(gibibyte, 2), memoryOf(64 * gibibyte, 1)], [64, 32, 128]);
  const fixed = { bufferMemoryBytes: 1000, spoolMaxBytes: 500, spoolMinFreePercent: 5 };
  const { memoryBytes, diskBytes } = bufferLimitsOf(fixed, { memoryBytes: gibibyte, fronts: 2 });
  assert.deepEqual([memoryBytes, diskBytes], [500, 250]);
});

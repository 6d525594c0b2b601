import assert from 'node:assert/strict';
import { test } from 'node:test';
import { importBenchmark } from '../../support/import-benchmark.js';

interface Comparison {
  readonly rounds: readonly number[];
  readonly median: number;
  readonly min: number;
  readonly max: number;
  readonly isMet?: boolean;
  readonly shortBy?: number;
}

type Numbers = readonly number[];

const { median, spread, percentile, compare } = await importBenchmark<{
  median(values: Numbers): number;
  spread(values: Numbers): { median: number; min: number; max: number };
  percentile(values: Numbers, percent: number): number;
  compare(ours: Numbers, theirs: Numbers | undefined, target?: object): Comparison;
}>('statistics.mjs');

test('the median is the one in the middle by size, or between the two', () => {
  assert.equal(median([10, 9, 100]), 10);
  assert.equal(median([4, 1, 2, 3]), 2.5);
  assert.equal(median([7]), 7);
});

test('values are not reordered', () => {
  const values = [3, 1, 2];
  assert.deepEqual(spread(values), { median: 2, min: 1, max: 3 });
  assert.deepEqual(values, [3, 1, 2]);
});

test('a percentile is one of the values, by nearest rank', () => {
  const values = Array.from({ length: 100 }, (_, n) => n + 1);
  assert.equal(percentile(values, 99), 99);
  assert.equal(percentile(values, 50), 50);
  assert.equal(percentile([5, 1], 99), 5);
  assert.equal(percentile([5, 1], 0), 1);
});

test('ratios are taken within a round, so that a machine that slows down changes none', () => {
  const { rounds, min, max } = compare([200, 100, 20], [100, 50, 10]);
  assert.deepEqual(rounds, [2, 2, 2]);
  assert.deepEqual([min, max], [2, 2]);
});

test('without a target nothing is met or missed', () => {
  assert.equal('isMet' in compare([2], [1]), false);
});

test('a target is about the median', () => {
  const reached = compare([1, 3, 3], [1, 1, 2], { kind: 'ratio', atLeast: 1.5 });
  assert.deepEqual([reached.median, reached.isMet, reached.shortBy], [1.5, true, 0]);
  const missed = compare([1, 3, 3], [1, 1, 2], { kind: 'ratio', atLeast: 2 });
  assert.deepEqual([missed.isMet, missed.shortBy], [false, 0.5]);
});

test('a target with atMost is missed from above', () => {
  const latency = compare([12], [10], { kind: 'ratio', atMost: 1 });
  assert.equal(latency.isMet, false);
  assert.ok(Math.abs((latency.shortBy ?? 0) - 0.2) < 1e-9);
});

test('a difference, and a value by itself', () => {
  const more = compare([90, 80], [50, 50], { kind: 'difference', atMost: 45 });
  assert.deepEqual([more.rounds, more.isMet], [[40, 30], true]);
  const alone = compare([0.6, 0.7], undefined, { kind: 'value', atMost: 0.5 });
  assert.deepEqual([alone.rounds, alone.isMet], [[0.6, 0.7], false]);
});

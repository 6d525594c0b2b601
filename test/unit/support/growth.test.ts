import assert from 'node:assert/strict';
import { test } from 'node:test';
import { growthOf } from '../../soak/growth.js';

const megabytes = (...values: number[]) => values.map((each) => ({ rssBytes: each * 1e6, openFiles: 20 }));
const files = (...values: number[]) => values.map((openFiles) => ({ rssBytes: 1e8, openFiles }));

test('a leak is growth after the warm-up, in a front and in the descriptors', () => {
  assert.ok(growthOf(megabytes(100, 105, 110, 115, 120, 125, 130, 135, 140)).isTooMuch);
  assert.ok(growthOf(files(20, 22, 24, 26, 28, 30, 32, 34, 36)).isTooMuch);
});

test('a warm-up, one moment of garbage and one open connection are none', () => {
  assert.ok(!growthOf(megabytes(60, 80, 99, 100, 100, 101, 101, 140, 101)).isTooMuch);
  assert.ok(!growthOf(files(18, 20, 19, 19, 18, 19, 20, 21, 20)).isTooMuch);
  assert.ok(!growthOf(megabytes(100, 100, 100, 90, 90, 90, 80, 80, 80)).isTooMuch);
  const warming = megabytes(90, 95, 97, 98, 101, 101, 102, 107, 107);
  assert.ok(growthOf(warming).isTooMuch && !growthOf(warming, { warmUpBytes: 8e6 }).isTooMuch);
});

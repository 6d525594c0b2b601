import assert from 'node:assert/strict';
import { test } from 'node:test';
import { SharedRateCounter } from '../../../../src/front/limits/shared-rate-counter.js';
import { TokenBuckets } from '../../../../src/front/limits/token-buckets.js';
import { FakeClock } from '../../../support/fake-clock.js';

const perMinute = { key: 'a', perSecond: 10 / 60, burst: 3 };

test('so many at once, then one whenever its time has come', () => {
  const clock = new FakeClock();
  const buckets = new TokenBuckets(clock);
  for (let n = 0; n < 3; n += 1) assert.equal(buckets.take(perMinute), 0);
  assert.equal(Math.round(buckets.take(perMinute)), 6000);
  assert.equal(buckets.take({ ...perMinute, key: 'b' }), 0);
  clock.advance(5_000);
  assert.equal(Math.round(buckets.take(perMinute)), 1000);
  clock.advance(1_000);
  assert.equal(buckets.take(perMinute), 0);
  assert.ok(buckets.take(perMinute) > 0);
  clock.advance(600_000);
  for (let n = 0; n < 3; n += 1) assert.equal(buckets.take(perMinute), 0);
  assert.ok(buckets.take(perMinute) > 0);
});

test('an hour of asking without a pause gets exactly what is allowed', () => {
  const clock = new FakeClock();
  const buckets = new TokenBuckets(clock);
  let taken = 0;
  for (let ms = 0; ms < 3_600_000; ms += 100) {
    if (buckets.take(perMinute) === 0) taken += 1;
    clock.advance(100);
  }
  assert.ok(taken >= 590 && taken <= 603, `${taken}`);
});

test('memory is bounded: who is full again is forgotten, and with too many the one longest away', () => {
  const clock = new FakeClock();
  const buckets = new TokenBuckets(clock, 10);
  for (let n = 0; n < 1000; n += 1) buckets.take({ ...perMinute, key: `k${n}` });
  assert.ok(buckets.size <= 10);
  clock.advance(60_000);
  for (let n = 0; n < 6; n += 1) buckets.take({ ...perMinute, burst: 6, key: 'one' });
  assert.equal(buckets.size, 1);
});

test('several fronts ask one; a refusal is remembered, and where nobody answers each counts for itself', async () => {
  const clock = new FakeClock();
  const buckets = new TokenBuckets(clock);
  let asked = 0;
  const ask = async (request: typeof perMinute): Promise<number> => {
    asked += 1;
    return buckets.take(request);
  };
  const fronts = [new SharedRateCounter(clock, ask), new SharedRateCounter(clock, ask)];
  const waits = await Promise.all(Array.from({ length: 8 }, (_, n) => fronts[n % 2]?.take(perMinute)));
  assert.equal(waits.filter((waitMs) => waitMs === 0).length, 3);
  const askedBefore = asked;
  for (const front of fronts) assert.ok(Number(front.take(perMinute)) > 0);
  assert.equal(asked, askedBefore);

  const alone = new SharedRateCounter(clock, () => new Promise(() => {}));
  const late = alone.take(perMinute);
  await clock.advanceAsync(1000);
  assert.equal(await late, 0);
});

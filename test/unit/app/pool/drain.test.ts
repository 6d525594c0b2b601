import assert from 'node:assert/strict';
import { test } from 'node:test';
import { atOnce, drained, onlyStreamsLeft } from '../../../../src/app/pool/drain.js';
import { Condition } from '../../../../src/contracts/condition.js';
import { FakeClock } from '../../../support/fake-clock.js';

const times = { drainTimeoutMs: 30_000, streamDrainTimeoutMs: 300_000 };

test('nothing in flight: no wait', async () => {
  const { clock, isOver } = await drain({ inFlight: 0, streams: 0 });
  assert.deepEqual([isOver(), clock.pending], [true, 0]);
});

test('at once: no wait, whatever is in flight', async () => {
  for (const draining of [
    { inFlight: 2, streams: 0 },
    { inFlight: 2, streams: 2 },
  ]) {
    const { clock, isOver } = await drain(draining, atOnce);
    assert.deepEqual([isOver(), clock.pending], [true, 0]);
  }
});

test('requests are waited for until their deadline, and the streams beside them not beyond it', async () => {
  const { clock, isOver } = await drain({ inFlight: 3, streams: 2 });
  await clock.advanceAsync(29_999);
  assert.equal(isOver(), false);
  await clock.advanceAsync(1);
  assert.deepEqual([isOver(), clock.pending], [true, 0]);
});

test('streams alone are waited for until their own deadline, counted from the start', async () => {
  const draining = { inFlight: 2, streams: 1 };
  const { clock, progress, isOver } = await drain(draining);
  await clock.advanceAsync(20_000);
  draining.inFlight = 1;
  progress.notifyAll();
  await clock.advanceAsync(279_999);
  assert.equal(isOver(), false);
  await clock.advanceAsync(1);
  assert.deepEqual([isOver(), clock.pending], [true, 0]);
});

test('the wait ends with the last stream', async () => {
  const draining = { inFlight: 2, streams: 2 };
  const { clock, progress, isOver } = await drain(draining);
  Object.assign(draining, { inFlight: 1, streams: 1 });
  progress.notifyAll();
  await clock.advanceAsync(0);
  assert.equal(isOver(), false);
  Object.assign(draining, { inFlight: 0, streams: 0 });
  progress.notifyAll();
  await clock.advanceAsync(0);
  assert.deepEqual([isOver(), clock.pending], [true, 0]);
});

test('a request that turns out to be a stream gets the time of a stream', async () => {
  const draining = { inFlight: 1, streams: 0 };
  const { clock, progress, isOver } = await drain(draining);
  await clock.advanceAsync(29_000);
  draining.streams = 1;
  progress.notifyAll();
  await clock.advanceAsync(200_000);
  assert.equal(isOver(), false);
});

test('streams with less time than requests end when the last request has', async () => {
  const draining = { inFlight: 2, streams: 1 };
  const { clock, progress, isOver } = await drain(draining, {
    drainTimeoutMs: 30_000,
    streamDrainTimeoutMs: 0,
  });
  await clock.advanceAsync(10_000);
  assert.equal(isOver(), false);
  draining.inFlight = 1;
  progress.notifyAll();
  await clock.advanceAsync(0);
  assert.deepEqual([isOver(), clock.pending], [true, 0]);
});

test('two waits for the same process both end', async () => {
  const draining = { inFlight: 1, streams: 0 };
  const { clock, progress, isOver } = await drain(draining);
  let isSecondOver = false;
  void drained(draining, times, { progress, clock }).then(() => {
    isSecondOver = true;
  });
  draining.inFlight = 0;
  progress.notifyAll();
  await clock.advanceAsync(0);
  assert.deepEqual([isOver(), isSecondOver, clock.pending], [true, true, 0]);
});

test('only streams left: over when each process is gone or has nothing but streams', async () => {
  const progress = new Condition(new FakeClock());
  const [first, second] = [
    { inFlight: 2, streams: 1 },
    { inFlight: 0, streams: 0 },
  ];
  const present = new Set([first, second]);
  let isOver = false;
  const left = onlyStreamsLeft(() => present, progress).then(() => {
    isOver = true;
  });
  const seen: boolean[] = [];
  for (const change of [
    () => Object.assign(first, { inFlight: 1 }),
    () => Object.assign(first, { inFlight: 0, streams: 0 }), // about to end, as the second is
    () => present.delete(second),
    () => present.delete(first),
  ]) {
    change();
    progress.notifyAll();
    await new Promise((resolve) => setImmediate(resolve));
    seen.push(isOver);
  }
  await left;
  assert.deepEqual(seen, [false, false, false, true]);
});

// Private

async function drain(
  draining: { inFlight: number; streams: number },
  drainTimes = times,
): Promise<{ clock: FakeClock; progress: Condition; isOver: () => boolean }> {
  const clock = new FakeClock();
  const progress = new Condition(clock);
  let isOver = false;
  void drained(draining, drainTimes, { progress, clock }).then(() => {
    isOver = true;
  });
  await clock.advanceAsync(0);
  return { clock, progress, isOver: () => isOver };
}

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { BodyPace } from '../../../../src/front/upstream/body-pace.js';
import { FakeClock } from '../../../support/fake-clock.js';

function makePace(minBytesPerSecond = 500) {
  const clock = new FakeClock();
  return { clock, pace: new BodyPace(clock, { graceMs: 30_000, minBytesPerSecond }) };
}

test('a drop of a byte every five seconds is too slow once the grace is over', () => {
  const { clock, pace } = makePace();
  for (let seconds = 5; seconds <= 30; seconds += 5) {
    clock.advance(5000);
    pace.add(1);
    assert.equal(pace.isTooSlow, false, `after ${seconds} s`);
  }
  clock.advance(5000);
  pace.add(1);
  assert.equal(pace.isTooSlow, true);
});

test('what comes earns time, and the time in which nobody reads does not count', () => {
  const { clock, pace } = makePace();
  pace.add(5000);
  clock.advance(39_000);
  assert.equal(pace.isTooSlow, false);
  pace.pause();
  clock.advance(3_600_000);
  pace.resume();
  assert.equal(pace.isTooSlow, false);
  clock.advance(2000);
  assert.equal(pace.isTooSlow, true);
});

test('a minimum of 0 is none', () => {
  const { clock, pace } = makePace(0);
  clock.advance(3_600_000);
  assert.equal(pace.isTooSlow, false);
});

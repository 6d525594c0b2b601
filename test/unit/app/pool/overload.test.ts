import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Overload } from '../../../../src/app/pool/overload.js';
import { FakeClock } from '../../../support/fake-clock.js';

const members = [{ inFlight: 4 }, { inFlight: 6 }];
const load = { members, release: { settings: { overloadWaitMs: 1000 } } };
const unlimited = { members, release: { settings: { overloadWaitMs: 0 } } };

/** Ten requests at a time, 100 a second, and `arrivals` of them in each hundredth of a second. Answers the longest queue. */
function rush(
  seconds: number,
  arrivals: number,
  overload: Overload,
  clock: FakeClock,
  before = 0,
): { longest: number; last: number } {
  let queued = before;
  let longest = 0;
  for (let tick = 0; tick < seconds * 100; tick += 1) {
    for (let n = 0; n < arrivals; n += 1) {
      if (queued < 1000 && !overload.isTooLong(queued, load)) queued += 1;
    }
    longest = Math.max(longest, queued);
    if (queued > 0) {
      queued -= 1;
      overload.countTaken();
    }
    clock.advance(10);
  }
  return { longest, last: queued };
}

test('ten times what can be answered: after the first second nobody waits longer than about one', () => {
  const clock = new FakeClock();
  const overload = new Overload(clock);
  assert.ok(rush(1, 10, overload, clock).longest > 800);
  const { last } = rush(20, 10, overload, clock, 900);
  assert.ok(last >= 50 && last <= 120, `${last}`);
});

test('a burst may fill the queue, and what an application can answer is never refused', () => {
  const clock = new FakeClock();
  const overload = new Overload(clock);
  for (let queued = 0; queued < 1000; queued += 1) {
    assert.ok(!overload.isTooLong(queued, load));
  }
  clock.advance(60_000);
  assert.ok(!overload.isTooLong(0, load));
  assert.equal(rush(60, 1, overload, clock).longest, 1);
});

test('four for each that runs may wait however slow they are; nobody is refused where nothing is known, or with 0', () => {
  const clock = new FakeClock();
  const overload = new Overload(clock);
  overload.isTooLong(0, load);
  clock.advance(5_000);
  assert.ok(!overload.isTooLong(900, load));
  overload.countTaken();
  assert.ok(overload.isTooLong(41, load));
  assert.ok(!overload.isTooLong(40, load));
  assert.ok(!overload.isTooLong(900, unlimited));
});

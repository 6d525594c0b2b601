import assert from 'node:assert/strict';
import { test } from 'node:test';
import { FakeClock } from '../../support/fake-clock.js';

test('calls what is due, in order of time and then of setting', () => {
  const clock = new FakeClock();
  const calls: string[] = [];
  const note = (name: string) => () => calls.push(`${name} at ${clock.now()}`);
  clock.after(30, note('late'));
  clock.after(10, note('first'));
  clock.after(10, note('second'));
  clock.advance(9);
  assert.deepEqual(calls, []);
  clock.advance(1);
  assert.deepEqual(calls, ['first at 10', 'second at 10']);
  clock.advance(100);
  assert.deepEqual(calls.slice(2), ['late at 30']);
  assert.equal(clock.now(), 110);
  assert.equal(clock.pending, 0);
});

test('calls also what is set while time moves, when it is due in the same step', () => {
  const clock = new FakeClock();
  const calls: number[] = [];
  clock.after(10, () => clock.after(10, () => calls.push(clock.now())));
  clock.advance(20);
  assert.deepEqual(calls, [20]);
});

test('repeats until it is cancelled, also from inside', () => {
  const clock = new FakeClock();
  const calls: number[] = [];
  const cancel = clock.every(10, () => {
    calls.push(clock.now());
    if (calls.length === 3) cancel();
  });
  clock.advance(100);
  assert.deepEqual(calls, [10, 20, 30]);
  assert.equal(clock.pending, 0);
  assert.throws(() => clock.every(0, () => undefined), /never let the clock go on/);
});

test('a cancelled timer is not called', () => {
  const clock = new FakeClock();
  const cancel = clock.after(10, () => assert.fail('called'));
  assert.equal(clock.nextInMs, 10);
  cancel();
  assert.equal(clock.nextInMs, undefined);
  clock.advance(20);
});

test('advanceAsync lets promises settle between the callbacks', async () => {
  const clock = new FakeClock();
  const calls: number[] = [];
  const pause = (ms: number) => new Promise<void>((resolve) => clock.after(ms, resolve));
  const walk = async () => {
    await pause(10);
    calls.push(clock.now());
    await pause(10);
    calls.push(clock.now());
  };
  const walked = walk();
  await clock.advanceAsync(20);
  assert.deepEqual(calls, [10, 20]);
  await walked;
});

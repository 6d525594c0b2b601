import assert from 'node:assert/strict';
import { test } from 'node:test';
import { RestartPolicy } from '../../../../src/app/pool/restart-policy.js';
import { FakeClock } from '../../../support/fake-clock.js';

const limits = {
  restartBackoffMs: 200,
  restartBackoffMaxMs: 30_000,
  restartBudget: 5,
  restartWindowMs: 60_000,
};

test('each crash doubles the pause, by up to a quarter more or less', () => {
  const clock = new FakeClock();
  const middle = new RestartPolicy(limits, clock, () => 0.5);
  assert.deepEqual([middle.recordCrash(), middle.recordCrash(), middle.recordCrash()], [200, 400, 800]);
  const least = new RestartPolicy(limits, clock, () => 0);
  const most = new RestartPolicy(limits, clock, () => 1);
  assert.deepEqual([least.recordCrash(), most.recordCrash()], [150, 250]);
});

test('the pause never exceeds its maximum, chance included', () => {
  const policy = new RestartPolicy({ ...limits, restartBackoffMaxMs: 300 }, new FakeClock(), () => 1);
  assert.deepEqual([policy.recordCrash(), policy.recordCrash(), policy.recordCrash()], [250, 300, 300]);
});

test('a crash loop: as many crashes as the budget within the window', () => {
  const clock = new FakeClock();
  const policy = new RestartPolicy(limits, clock, () => 0.5);
  for (let crash = 1; crash < 5; crash += 1) policy.recordCrash();
  assert.equal(policy.isCrashLoop, false);
  assert.equal(policy.recordCrash(), 30_000);
  assert.equal(policy.isCrashLoop, true);
  clock.advance(59_999);
  assert.equal(policy.isCrashLoop, true);
  clock.advance(1);
  assert.equal(policy.isCrashLoop, false);
});

test('crashes older than the window are forgotten: the pause is short again', () => {
  const clock = new FakeClock();
  const policy = new RestartPolicy(limits, clock, () => 0.5);
  policy.recordCrash();
  policy.recordCrash();
  clock.advance(60_000);
  assert.equal(policy.recordCrash(), 200);
});

test('new limits hold for the crashes before them too', () => {
  const policy = new RestartPolicy(limits, new FakeClock(), () => 0.5);
  policy.recordCrash();
  policy.configure({ ...limits, restartBudget: 1 });
  assert.equal(policy.isCrashLoop, true);
});

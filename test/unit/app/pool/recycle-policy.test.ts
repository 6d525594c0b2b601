import assert from 'node:assert/strict';
import { test } from 'node:test';
import { RecyclePolicy } from '../../../../src/app/pool/recycle-policy.js';
import { readRssBytes } from '../../../../src/app/process/process-memory.js';
import { FakeClock } from '../../../support/fake-clock.js';

const never = { recycleRequests: 0, recycleMemoryBytes: 0, recycleLifetimeMs: 0 };

function memberWith({ finished = 0, startedAtMs = 0, pid = process.pid } = {}) {
  return { finished, startedAtMs, process: { memoryBytes: () => readRssBytes(pid) } };
}

test('limits of 0 are none', async () => {
  const clock = new FakeClock();
  clock.advance(1e12);
  const policy = new RecyclePolicy(clock, () => 0);
  assert.equal(await policy.check(memberWith({ finished: 1e9 }), never), undefined);
});

test('requests, and up to a tenth more by chance', async () => {
  const limits = { ...never, recycleRequests: 1000 };
  const reasonAt = (finished: number, chance: number) =>
    new RecyclePolicy(new FakeClock(), () => chance).check(memberWith({ finished }), limits);
  assert.equal(await reasonAt(999, 0), undefined);
  assert.equal(await reasonAt(1000, 0), 'it has answered 1000 requests (recycleRequests)');
  assert.equal(await reasonAt(1099, 1), undefined);
  assert.equal(await reasonAt(1100, 1), 'it has answered 1100 requests (recycleRequests)');
});

test('the chance is drawn once for each process', async () => {
  const draws = [1, 0, 0];
  const policy = new RecyclePolicy(new FakeClock(), () => draws.shift() ?? 0);
  const member = memberWith({ finished: 1050 });
  const limits = { ...never, recycleRequests: 1000 };
  assert.equal(await policy.check(member, limits), undefined);
  assert.equal(await policy.check(member, limits), undefined);
  assert.match((await policy.check(memberWith({ finished: 1050 }), limits)) ?? '', /1050/);
});

test('age', async () => {
  const clock = new FakeClock();
  const policy = new RecyclePolicy(clock, () => 0);
  const member = memberWith({ startedAtMs: 1000 });
  const limits = { ...never, recycleLifetimeMs: 60_000 };
  clock.advance(60_999);
  assert.equal(await policy.check(member, limits), undefined);
  clock.advance(1);
  assert.equal(await policy.check(member, limits), 'it is 60 s old (recycleLifetimeMs)');
});

test('memory', async () => {
  const policy = new RecyclePolicy(new FakeClock(), () => 0);
  const member = memberWith();
  const limits = { ...never, recycleMemoryBytes: 1_000_000 };
  assert.match(
    (await policy.check(member, limits)) ?? '',
    /^it uses \d+ MB of memory \(recycleMemoryBytes\)$/,
  );
  assert.equal(await policy.check(member, { ...limits, recycleMemoryBytes: 1e12 }), undefined);
});

test('memory is read once at a time for each process', async () => {
  const policy = new RecyclePolicy(new FakeClock(), () => 0);
  let reads = 0;
  const memoryBytes = async () => {
    reads += 1;
    return 2e6;
  };
  const member = { finished: 0, startedAtMs: 0, process: { memoryBytes } };
  const limits = { ...never, recycleMemoryBytes: 1_000_000 };
  const reasons = await Promise.all([policy.check(member, limits), policy.check(member, limits)]);
  assert.deepEqual(reasons, ['it uses 2 MB of memory (recycleMemoryBytes)', undefined]);
  assert.equal(reads, 1);
});

test('a process that is gone uses no memory', async () => {
  const policy = new RecyclePolicy(new FakeClock(), () => 0);
  const limits = { ...never, recycleMemoryBytes: 1 };
  assert.equal(await policy.check(memberWith({ pid: 2 ** 30 }), limits), undefined);
});

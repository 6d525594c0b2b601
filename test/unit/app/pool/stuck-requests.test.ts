import assert from 'node:assert/strict';
import { test } from 'node:test';
import { StuckRequests } from '../../../../src/app/pool/stuck-requests.js';
import { FakeClock } from '../../../support/fake-clock.js';
import { FakeRequest } from '../../../support/fake-request.js';
import { FakeUpstream } from '../../../support/fake-upstream.js';
import { failures, makePoolWorld } from '../../../support/pool-world.js';
import { RecordingLog } from '../../../support/recording-log.js';

function makeMember(stacks: Record<string, string> | undefined) {
  const clock = new FakeClock();
  const log = new RecordingLog();
  const upstream = new FakeUpstream({
    path: '/s',
    threads: 4,
    observer: { onIdle: () => {}, onLost: () => {}, onCut: () => {}, onUnsent: () => {} },
    isMultiprocess: () => false,
    now: () => clock.now(),
    probeResult: async () => ({ status: 200, bodyHead: '' }),
  });
  const member = { upstream, process: { pid: 7, stacks: async () => stacks } };
  return { clock, log, upstream, member, stuck: new StuckRequests<FakeRequest>(clock, log) };
}

test('a request beyond the limit: 504, and where its thread is', async () => {
  const { clock, log, upstream, member, stuck } = makeMember({ 0: 'in sleep()', 1: 'in view()' });
  const [slow, quick] = [new FakeRequest('slow', 'POST'), new FakeRequest('quick')];
  upstream.send(slow);
  clock.advance(500);
  upstream.send(quick);
  clock.advance(600);
  assert.equal(await stuck.check(member, 1000), true);
  assert.deepEqual(failures([slow, quick]), ['stuck', undefined]);
  const [record] = log.all('request-stuck');
  assert.equal(record?.message, 'POST / got no answer for 1 s');
  const { requestId, app, thread, durationMs, detail } = record?.fields ?? {};
  assert.deepEqual([requestId, app, thread, durationMs, detail], ['slow', 7, 0, 1100, 'in sleep()']);
});

test('it is told once', async () => {
  const { clock, log, upstream, member, stuck } = makeMember({});
  upstream.send(new FakeRequest('slow'));
  clock.advance(2000);
  assert.deepEqual([await stuck.check(member, 1000), await stuck.check(member, 1000)], [true, false]);
  assert.equal(log.all('request-stuck').length, 1);
});

test('a stack that cannot be read is said to be so', async () => {
  const { clock, log, upstream, member, stuck } = makeMember(undefined);
  upstream.send(new FakeRequest('slow'));
  clock.advance(2000);
  await stuck.check(member, 1000);
  assert.match(String(log.all('request-stuck')[0]?.fields.detail), /could not be read/);
});

test('an answer that has begun, and a limit of 0, are not stuck', async () => {
  const { clock, upstream, member, stuck } = makeMember({});
  const streaming = new FakeRequest('streaming');
  streaming.hasAnswer = true;
  upstream.send(streaming);
  clock.advance(1e9);
  assert.equal(await stuck.check(member, 1000), false);
  const waiting = new FakeRequest('waiting');
  upstream.send(waiting);
  clock.advance(1e9);
  assert.equal(await stuck.check(member, 0), false);
  assert.deepEqual(failures([streaming, waiting]), [undefined, undefined]);
});

test('in a pool: the process with a stuck request is replaced, its other requests go on', async (t) => {
  const world = await makePoolWorld(t);
  await world.serve({ threads: 2, settings: { requestTimeoutMs: 5000 } });
  world.children.at(0).onStacks = () => ({ 0: 'here' });
  const [stuck] = world.dispatch();
  world.clock.advance(4000);
  const [young] = world.dispatch();
  world.clock.advance(2000);
  await world.untilReady(2);
  assert.equal(stuck?.failure, 'stuck');
  assert.equal(world.log.all('request-stuck')[0]?.fields.detail, 'here');
  const drained = world.clock.advanceAsync(0);
  await drained;
  assert.equal(young?.failure, undefined);
  world.upstream(0).finish(2);
  await world.log.until(() => world.children.at(0).hasEnded, 'the old process ends');
});

test('in a pool: the stuck thread does not hold its process beyond the drain deadline', async (t) => {
  const world = await makePoolWorld(t);
  await world.serve({ threads: 1, settings: { requestTimeoutMs: 5000, drainTimeoutMs: 10_000 } });
  const old = world.children.at(0);
  old.onStacks = () => ({});
  world.dispatch();
  await world.clock.advanceAsync(6000);
  await world.untilReady(2);
  await world.clock.advanceAsync(10_000);
  await world.log.until(() => old.hasEnded, 'the old process ends');
  assert.equal(world.log.all('request-retried').length, 0);
});

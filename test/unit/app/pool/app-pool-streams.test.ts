import assert from 'node:assert/strict';
import { test } from 'node:test';
import { failures, makePoolWorld } from '../../../support/pool-world.js';

const settings = { drainTimeoutMs: 10_000, streamDrainTimeoutMs: 60_000 };

test('a stream outlives the reload of its process, until its own deadline', async (t) => {
  const world = await makePoolWorld(t);
  await world.serve({ settings });
  const [stream] = world.dispatch();
  const old = world.upstream(0);
  old.becomeStreams();
  await world.serve({ settings });
  await world.pool.drained();
  assert.equal(world.clock.now(), 0, 'the reload does not wait for it');
  await world.clock.advanceAsync(59_999);
  assert.equal(world.childOf(old).hasEnded, false);
  await world.clock.advanceAsync(1);
  assert.deepEqual(world.childOf(old).commands, ['stop']);
  assert.equal(stream?.failure, undefined, 'the application ends its streams by itself');
  assert.equal(world.log.all('drain-timeout').length, 0);
  assert.deepEqual(world.children.running, [world.childOf(world.upstream(1))]);
});

test('the old process ends with its last stream', async (t) => {
  const world = await makePoolWorld(t);
  await world.serve({ settings });
  world.dispatch(2);
  const old = world.upstream(0);
  old.becomeStreams(2);
  await world.serve({ settings });
  old.finish();
  await world.clock.advanceAsync(1000);
  assert.equal(world.childOf(old).hasEnded, false);
  old.finish();
  await world.pool.drained();
  assert.equal(world.childOf(old).hasEnded, true);
});

test('a reload waits for the requests beside a stream, and for a process without one', async (t) => {
  const world = await makePoolWorld(t);
  await world.serve({ settings, processes: 2, threads: 2 });
  world.dispatch(3);
  // Two requests are on the first process, one on the second.
  const [first, second] = [world.upstream(0), world.upstream(1)];
  first.becomeStreams();
  await world.serve({ settings });
  let isDrained = false;
  const drained = world.pool.drained().then(() => {
    isDrained = true;
  });
  second.finish();
  await world.clock.advanceAsync(1000);
  assert.deepEqual([isDrained, world.childOf(second).hasEnded], [false, true]);
  first.becomeStreams();
  await drained;
  assert.equal(world.childOf(first).hasEnded, false);
});

test('several reloads in a row: each generation keeps its streams, for its own time', async (t) => {
  const world = await makePoolWorld(t);
  for (let index = 0; index < 3; index += 1) {
    await world.serve({ settings });
    world.dispatch();
    world.upstream(index).becomeStreams();
    await world.pool.drained();
    await world.clock.advanceAsync(20_000);
  }
  // The first was replaced 40 s ago, the second 20 s ago.
  assert.equal(world.children.running.length, 3);
  await world.clock.advanceAsync(20_000);
  assert.equal(world.children.running.length, 2);
  await world.clock.advanceAsync(20_000);
  assert.deepEqual(world.children.running, [world.childOf(world.upstream(2))]);
});

test('scaling down does not wait for streams either', async (t) => {
  const world = await makePoolWorld(t);
  await world.serve({ settings, processes: 2, threads: 1 });
  world.dispatch(2);
  const leaving = world.upstream(1);
  leaving.becomeStreams();
  await world.pool.scale(1, 1);
  assert.equal(world.childOf(leaving).hasEnded, false);
  await world.clock.advanceAsync(60_000);
  assert.equal(world.childOf(leaving).hasEnded, true);
});

test('a stop ends a reload that waits for requests', async (t) => {
  const world = await makePoolWorld(t);
  await world.serve({ settings });
  world.dispatch();
  await world.serve({ settings });
  const drained = world.pool.drained();
  const stopped = world.pool.stop(0);
  await world.clock.advanceAsync(0);
  await Promise.all([drained, stopped]);
  assert.equal(world.children.running.length, 0);
});

test('a request beside a stream has the deadline of requests, and takes the stream with it', async (t) => {
  const world = await makePoolWorld(t);
  await world.serve({ settings });
  const requests = world.dispatch(2, 'POST');
  const old = world.upstream(0);
  old.becomeStreams(1);
  await world.serve({ settings });
  const drained = world.pool.drained();
  await world.clock.advanceAsync(10_000);
  await drained;
  assert.deepEqual(failures(requests), ['upstream-died', 'upstream-died']);
});

test('a stop does not wait for streams, of the current release or of one before', async (t) => {
  const world = await makePoolWorld(t);
  await world.serve({ settings });
  world.dispatch();
  world.upstream(0).becomeStreams();
  await world.serve({ settings });
  world.dispatch();
  world.upstream(1).becomeStreams();
  await world.pool.stop(30_000);
  assert.equal(world.children.running.length, 0);
  assert.equal(world.clock.now(), 0);
});

test('a stop waits for requests beside streams, also for one that turns out to be a stream', async (t) => {
  const world = await makePoolWorld(t);
  await world.serve({ settings, threads: 3 });
  world.dispatch(3);
  const upstream = world.upstream(0);
  upstream.becomeStreams();
  let isStopped = false;
  const stopped = world.pool.stop(30_000).then(() => {
    isStopped = true;
  });
  await world.clock.advanceAsync(1000);
  upstream.becomeStreams();
  await world.clock.advanceAsync(0);
  assert.equal(isStopped, false);
  upstream.becomeStreams();
  await stopped;
  assert.equal(world.children.running.length, 0);
});

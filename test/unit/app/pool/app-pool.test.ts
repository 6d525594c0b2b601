import assert from 'node:assert/strict';
import { test } from 'node:test';
import { failures, makePoolWorld } from '../../../support/pool-world.js';

test('a request goes to the process with most idle threads', async (t) => {
  const world = await makePoolWorld(t);
  await world.serve({ processes: 2, threads: 3 });
  const [first, second] = [world.upstream(0), world.upstream(1)];
  world.dispatch(4);
  assert.deepEqual([first.inFlight, second.inFlight], [2, 2]);
  first.finish(2);
  world.dispatch(1);
  assert.deepEqual([first.inFlight, second.inFlight], [1, 2]);
});

test('when all threads are busy requests wait, in order', async (t) => {
  const world = await makePoolWorld(t);
  await world.serve({ threads: 2 });
  const upstream = world.upstream(0);
  world.dispatch(5);
  assert.deepEqual(upstream.carried, ['r1', 'r2']);
  assert.equal(world.pool.queued, 3);
  upstream.finish();
  assert.deepEqual(upstream.carried, ['r2', 'r3']);
  upstream.finish();
  assert.deepEqual(upstream.carried, ['r3', 'r4']);
  assert.equal(world.pool.queued, 1);
});

test('the queue is bounded: the next one gets a 503 page', async (t) => {
  const world = await makePoolWorld(t);
  await world.serve({ threads: 1, settings: { queueRequests: 2 } });
  const requests = world.dispatch(4);
  assert.deepEqual(failures(requests), [undefined, undefined, undefined, 'queue-full']);
  assert.equal(world.log.all('queue-full')[0]?.fields.queued, 2);
});

test('one that waits too long gets a 503 page', async (t) => {
  const world = await makePoolWorld(t);
  await world.serve({ threads: 1, settings: { queueTimeoutMs: 5000 } });
  const requests = world.dispatch(2);
  world.clock.advance(4000);
  assert.deepEqual(failures(requests), [undefined, undefined]);
  world.clock.advance(1000);
  assert.deepEqual(failures(requests), [undefined, 'queue-timeout']);
});

test('before there is a release, and after the stop, nothing is served', async (t) => {
  const world = await makePoolWorld(t);
  assert.deepEqual(failures(world.dispatch()), ['unavailable']);
  await world.serve();
  await world.pool.stop(1000);
  assert.deepEqual(failures(world.dispatch()), ['stopping']);
});

test('a GET whose connection broke off is sent once more, when its process is told to end', async (t) => {
  const world = await makePoolWorld(t);
  await world.serve({ processes: 2, threads: 1, settings: { requestTimeoutMs: 0 } });
  const [request] = world.dispatch();
  const first = world.upstreams.find(({ inFlight }) => inFlight === 1);
  assert.ok(request && first);
  first.lose();
  assert.equal(request.sentTo.length, 1, 'its process may have ended');
  await world.clock.advanceAsync(500);
  assert.equal(new Set(request.sentTo).size, 2);
  assert.equal(world.log.all('request-retried')[0]?.fields.requestId, request.id);
});

test('a POST whose process died is not repeated', async (t) => {
  const world = await makePoolWorld(t);
  await world.serve({ processes: 2, threads: 1 });
  const requests = world.dispatch(2, 'POST');
  await world.crash(world.upstream(0));
  assert.deepEqual(failures(requests).sort(), ['upstream-died', undefined]);
  assert.equal(world.log.all('request-lost').length, 1);
  assert.equal(world.pool.queued, 0);
});

test('a POST that was not sent at all goes to another process, and has used up nothing', async (t) => {
  const world = await makePoolWorld(t);
  await world.serve({ processes: 2, threads: 1 });
  const [post] = world.dispatch(1, 'POST');
  assert.ok(post);
  const first = world.upstreams.find(({ carried }) => carried.length > 0);
  first?.refuse();
  assert.equal(post.failure, undefined);
  assert.equal(post.sentTo.length, 2);
  assert.notEqual(post.sentTo[0], post.sentTo[1]);
});

test('a request that is sent once more goes before those that wait', async (t) => {
  const world = await makePoolWorld(t);
  await world.serve({ processes: 2, threads: 1 });
  world.dispatch(3);
  world.upstream(0).lose();
  await world.clock.advanceAsync(500);
  assert.equal(world.pool.queued, 2);
  world.upstream(1).finish();
  assert.deepEqual(world.upstream(1).carried, ['r1']);
});

test('commit switches between two requests, and loses none that waits', async (t) => {
  const world = await makePoolWorld(t);
  await world.serve({ threads: 1 });
  const requests = world.dispatch(3);
  await world.serve({ threads: 2 });
  const [old, fresh] = [world.upstream(0), world.upstream(1)];
  assert.deepEqual(old.carried, ['r1']);
  assert.deepEqual(fresh.carried, ['r2', 'r3']);
  const [late] = world.dispatch();
  old.finish();
  assert.equal(old.inFlight, 0, 'the old one gets no new request');
  fresh.finish(2);
  assert.deepEqual(fresh.carried, ['r4']);
  await world.pool.drained();
  assert.deepEqual(failures([...requests, ...(late ? [late] : [])]), [
    undefined,
    undefined,
    undefined,
    undefined,
  ]);
  assert.deepEqual(world.children.running, [world.childOf(fresh)]);
});

test('the old processes end when what is in flight has ended', async (t) => {
  const world = await makePoolWorld(t);
  await world.serve();
  world.dispatch(2);
  await world.serve();
  const old = world.childOf(world.upstream(0));
  let isDrained = false;
  const drained = world.pool.drained().then(() => {
    isDrained = true;
  });
  world.upstream(0).finish();
  await world.clock.advanceAsync(1000);
  assert.deepEqual([isDrained, old.commands], [false, []]);
  world.upstream(0).finish();
  await drained;
  assert.deepEqual(old.commands, ['stop']);
});

test('what is in flight beyond the drain deadline is cut; a GET is given to the new release', async (t) => {
  const world = await makePoolWorld(t);
  await world.serve({ settings: { drainTimeoutMs: 10_000 } });
  const requests = [...world.dispatch(1, 'GET'), ...world.dispatch(1, 'POST')];
  await world.serve();
  const drained = world.pool.drained();
  await world.clock.advanceAsync(9999);
  assert.deepEqual(failures(requests), [undefined, undefined]);
  await world.clock.advanceAsync(1);
  await drained;
  assert.deepEqual(failures(requests), [undefined, 'upstream-died']);
  assert.deepEqual(world.upstream(1).carried, ['r1']);
  assert.equal(world.log.all('drain-timeout')[0]?.fields.inFlight, 2);
});

test('a release that cannot be prepared changes nothing, and leaves nothing behind', async (t) => {
  const world = await makePoolWorld(t);
  await world.serve();
  world.children.onSpawn = (child) => child.exit(3);
  await assert.rejects(world.pool.prepare(world.release({ processes: 2 }), 'required'), {
    code: 'app-exited',
  });
  world.dispatch();
  assert.deepEqual(world.upstream(0).carried, ['r1']);
  assert.equal(world.children.running.length, 1);
  assert.throws(() => world.pool.commit(), /nothing is prepared/);
});

test('discard ends what was prepared', async (t) => {
  const world = await makePoolWorld(t);
  await world.serve();
  await world.pool.prepare(world.release(), 'required');
  assert.equal(world.children.running.length, 2);
  await world.pool.discard();
  assert.deepEqual(world.children.running, [world.children.at(0)]);
  assert.throws(() => world.pool.commit(), /nothing is prepared/);
});

test('stop waits for what is in flight and what is queued', async (t) => {
  const world = await makePoolWorld(t);
  await world.serve({ threads: 1 });
  const requests = world.dispatch(2);
  let isStopped = false;
  const stopped = world.pool.stop(10_000).then(() => {
    isStopped = true;
  });
  world.upstream(0).finish();
  await world.clock.advanceAsync(100);
  assert.equal(isStopped, false);
  world.upstream(0).finish();
  await stopped;
  assert.deepEqual(failures(requests), [undefined, undefined]);
  assert.equal(world.children.running.length, 0);
  assert.equal(world.clock.pending, 0, 'nothing is left ticking');
});

test('stop at the deadline: those in flight are cut, those that wait get a page', async (t) => {
  const world = await makePoolWorld(t);
  await world.serve({ threads: 1 });
  const requests = world.dispatch(2);
  const stopped = world.pool.stop(10_000);
  await world.clock.advanceAsync(10_000);
  await stopped;
  assert.deepEqual(failures(requests), ['stopping', 'stopping']);
  assert.equal(world.children.running.length, 0);
});

test('stop does not wait on when the last request was lost to a crash', async (t) => {
  const world = await makePoolWorld(t);
  await world.serve({ threads: 1 });
  const requests = world.dispatch(1, 'POST');
  const stopped = world.pool.stop(10_000);
  world.upstream(0).lose();
  world.children.at(0).exit(null, 'SIGSEGV');
  await stopped;
  assert.deepEqual(failures(requests), ['upstream-died']);
  assert.equal(world.clock.now(), 0);
});

test('stop in the middle of a prepare ends what was started', async (t) => {
  const world = await makePoolWorld(t);
  await world.serve();
  world.children.onSpawn = () => {};
  const prepared = world.pool.prepare(
    world.release({ processes: 5, settings: { startConcurrency: 4 } }),
    'required',
  );
  const refused = assert.rejects(prepared);
  await world.children.started(3);
  await world.pool.stop(1000);
  await refused;
  assert.equal(world.children.running.length, 0);
  assert.equal(world.children.all.length, 3);
});

test('kill ends every process at once, also those that start or drain', async (t) => {
  const world = await makePoolWorld(t);
  await world.serve();
  world.dispatch();
  await world.serve();
  world.children.onSpawn = () => {};
  const prepared = assert.rejects(world.pool.prepare(world.release(), 'required'));
  world.pool.kill();
  await prepared;
  assert.deepEqual(
    world.children.all.map(({ signals }) => signals[0]),
    ['SIGKILL', 'SIGKILL', 'SIGKILL'],
  );
});

test('status tells of every process', async (t) => {
  const world = await makePoolWorld(t);
  await world.serve({ processes: 1, threads: 3 });
  world.dispatch(2);
  world.upstream(0).finish();
  await world.pool.prepare(world.release(), 'required');
  const [current, next] = (await world.pool.status()).apps;
  assert.ok(current && next);
  const { startedAt, rssBytes, ...told } = current;
  assert.deepEqual(told, {
    pid: 1001,
    state: 'ready',
    generation: 1,
    threads: 3,
    inFlight: 1,
    streams: 0,
    requests: 1,
    restarts: 0,
  });
  assert.ok(Number.isFinite(Date.parse(startedAt)));
  assert.equal(rssBytes, undefined, 'there is no process 1001 that is ours');
  assert.deepEqual([next.pid, next.generation], [1002, 2]);
});

test('live settings reach the processes that run', async (t) => {
  const world = await makePoolWorld(t);
  await world.serve({ threads: 1 });
  world.dispatch();
  world.pool.configure({ ...world.release().settings, queueRequests: 0 });
  assert.deepEqual(failures(world.dispatch()), ['queue-full']);
});

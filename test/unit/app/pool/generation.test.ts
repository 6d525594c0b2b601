import assert from 'node:assert/strict';
import { test } from 'node:test';
import { makeProbe } from '../../../support/make-probe.js';
import { failures, makePoolWorld } from '../../../support/pool-world.js';

const backoff = {
  restartBackoffMs: 200,
  restartBackoffMaxMs: 30_000,
  restartBudget: 3,
  restartWindowMs: 60_000,
};

test('processes start a bounded number at a time', async (t) => {
  const world = await makePoolWorld(t);
  world.children.onSpawn = () => {};
  const served = world.serve({ processes: 5, settings: { startConcurrency: 2 } });
  await world.children.started(2);
  for (let ready = 0; ready < 5; ready += 1) {
    assert.equal(world.children.all.length, Math.min(5, ready + 2));
    world.children.at(ready).becomeReady();
    await world.untilReady(ready + 1);
    await world.clock.advanceAsync(0);
  }
  await served;
});

test('at a reload half as many start at a time, for the old ones need the processors too', async (t) => {
  const world = await makePoolWorld(t);
  world.children.onSpawn = () => {};
  const release = world.release({ processes: 3, settings: { startConcurrency: 2 } });
  const prepared = world.pool.prepare(release, 'required').catch(() => 'broken off');
  await world.children.started(1);
  await world.clock.advanceAsync(0);
  assert.equal(world.children.all.length, 1);
  world.children.at(0).exit(1);
  assert.equal(await prepared, 'broken off');
});

test('one process that does not start ends them all, and begins no more', async (t) => {
  const world = await makePoolWorld(t);
  world.children.onSpawn = (child) => child.pid === 1002 && child.exit(1);
  await assert.rejects(world.serve({ processes: 10, settings: { startConcurrency: 2 } }), {
    code: 'app-exited',
    message: 'The application exited with code 1 before it was ready.',
  });
  assert.equal(world.children.running.length, 0);
  assert.equal(world.children.all.length, 2);
});

test('a process that SIGUSR1 or SIGUSR2 ends before it is ready is started again, for half a minute', async (t) => {
  const world = await makePoolWorld(t);
  world.children.onSpawn = (child) => {
    if (child.pid > 1002) child.becomeReady();
    else child.exit(null, child.pid === 1001 ? 'SIGUSR1' : 'SIGUSR2');
  };
  await world.serve();
  assert.equal(world.children.running.length, 1);
  assert.deepEqual(
    world.log.all('start-repeated').map(({ message }) => message),
    ['SIGUSR1', 'SIGUSR2'].map(
      (signal) => `The application was ended by ${signal} before it was ready. It is started again.`,
    ),
  );
  world.children.onSpawn = (child) => {
    world.clock.advance(20_000);
    child.exit(null, 'SIGUSR2');
  };
  await assert.rejects(world.pool.prepare(world.release(), 'required'), { code: 'start-signalled' });
  assert.equal(world.children.all.length, 5);
});

test('the probe asks for the real page with the real host', async (t) => {
  const world = await makePoolWorld(t);
  const settings = { healthPath: '/up/', healthHost: 'shop.example', healthTimeoutMs: 700 };
  await world.serve({ settings });
  assert.deepEqual(world.upstream(0).probes, [
    makeProbe({ path: '/up/', host: 'shop.example', timeoutMs: 700 }),
  ]);
});

for (const [what, probe] of [
  ['answers 500', async () => ({ status: 500, bodyHead: '<h1>Server Error</h1>' })],
  ['hangs', () => Promise.reject(new Error('no answer within 10 s'))],
] as const) {
  test(`a probe that ${what} refuses a reload, and is only logged at the start`, async (t) => {
    const world = await makePoolWorld(t);
    world.probeResult = probe;
    await world.serve({}, 'reported');
    assert.equal(world.log.all('probe-failed').length, 1);
    world.upstream(0).probeResult = async () => ({ status: 404, bodyHead: '' });
    await assert.rejects(world.pool.prepare(world.release(), 'required'), { code: 'probe-failed' });
    assert.equal(world.children.running.length, 1);
  });
}

test('a page that fails before and after refuses nothing, and is reported', async (t) => {
  const world = await makePoolWorld(t);
  world.probeResult = async () => ({ status: 503, bodyHead: 'in maintenance' });
  await world.serve({}, 'reported');
  await world.serve({}, 'required');
  const [, second] = world.log.all('probe-failed');
  assert.match(second?.message ?? '', /status 503\. So does the release that served until now\.$/);
  assert.match(String(second?.fields.detail), /in maintenance/);
});

test('a page that fails refuses a reload while the release that serves does not answer', async (t) => {
  const world = await makePoolWorld(t);
  world.probeResult = async () => ({ status: 500, bodyHead: '' });
  await world.serve({}, 'reported');
  world.upstream(0).probeResult = () => Promise.reject(new Error('no answer within 10 s'));
  await assert.rejects(world.pool.prepare(world.release(), 'required'), { code: 'probe-failed' });
});

test('each path of a list is asked for', async (t) => {
  const world = await makePoolWorld(t);
  await world.serve({ settings: { healthPath: ['/', '/shop/'] } });
  const paths = world.upstream(0).probes.map(({ path }) => path);
  assert.deepEqual(paths, ['/', '/shop/']);
});

test('a crash: explained with its last lines, and mended after the pause', async (t) => {
  const world = await makePoolWorld(t);
  await world.serve({ processes: 2, settings: backoff });
  world.childOf(world.upstream(0)).stderr.write('Fatal Python error: Segmentation fault\n');
  await world.crash(world.upstream(0));
  const [crashed] = world.log.all('app-crashed');
  assert.equal(crashed?.message, 'application 1001 died of SIGSEGV');
  assert.equal(crashed?.fields.detail, 'Fatal Python error: Segmentation fault');
  world.clock.advance(149);
  assert.equal(world.children.all.length, 2);
  world.clock.advance(101);
  await world.untilReady(3);
  const { apps: statuses } = await world.pool.status();
  assert.deepEqual(statuses.map(({ pid, restarts }) => [pid, restarts]).sort(), [
    [1002, 0],
    [1003, 1],
  ]);
});

test('a crash loop: 503 at once, tries at the longest pause, and service when one succeeds', async (t) => {
  const world = await makePoolWorld(t);
  await world.serve({ settings: backoff });
  world.children.onSpawn = (child) => child.exit(1);
  await world.crash(world.upstream(0));
  const waiting = world.dispatch(2);
  assert.deepEqual(failures(waiting), [undefined, undefined]);
  for (const attempt of [1, 2]) {
    world.clock.advance(1000);
    await world.log.seen('app-start-failed', attempt);
  }
  await world.log.seen('crash-loop');
  assert.deepEqual(failures(waiting), ['unavailable', 'unavailable']);
  assert.deepEqual(failures(world.dispatch()), ['unavailable']);
  world.children.onSpawn = (child) => child.becomeReady();
  world.clock.advance(29_000);
  assert.equal(world.children.all.length, 3);
  world.clock.advance(1000);
  await world.untilReady(2);
  assert.deepEqual(failures(world.dispatch()), [undefined]);
});

test('a process that died between prepare and commit is started again', async (t) => {
  const world = await makePoolWorld(t);
  await world.serve();
  await world.pool.prepare(world.release(), 'required');
  await world.crash(world.upstream(1));
  world.clock.advance(60_000);
  assert.equal(world.children.all.length, 2, 'not before it is the current one');
  world.pool.commit();
  const [request] = world.dispatch();
  world.clock.advance(1000);
  await world.untilReady(3);
  assert.equal(request?.failure, undefined);
  assert.deepEqual(world.upstream(2).carried, ['r1']);
});

test('recycling starts the successor first', async (t) => {
  const world = await makePoolWorld(t);
  world.children.onSpawn = (child) => child.becomeReady();
  await world.serve({ threads: 1, settings: { recycleRequests: 1 } });
  const old = world.upstream(0);
  world.dispatch(2);
  old.finish();
  old.finished = 2;
  world.clock.advance(1000);
  await world.untilReady(2);
  assert.deepEqual(old.carried, ['r2']);
  assert.equal(world.childOf(old).hasEnded, false, 'its request goes on');
  world.dispatch();
  assert.deepEqual(world.upstream(1).carried, ['r3']);
  old.finish();
  await world.log.until(() => world.childOf(old).hasEnded, 'the old process ends');
  assert.equal(world.log.all('app-crashed').length, 0);
});

test('a successor that does not start leaves the old one, and is tried again only after the longest pause', async (t) => {
  const world = await makePoolWorld(t);
  await world.serve({ threads: 1, settings: { ...backoff, recycleRequests: 1 } });
  world.upstream(0).finished = 5;
  world.children.onSpawn = (child) => child.exit(1);
  world.clock.advance(1000);
  await world.log.seen('app-recycle-failed');
  world.dispatch();
  assert.deepEqual(world.upstream(0).carried, ['r1']);
  await world.clock.advanceAsync(29_000);
  assert.equal(world.children.all.length, 2);
  world.children.onSpawn = (child) => child.becomeReady();
  world.clock.advance(1000);
  await world.untilReady(2);
});

test('a process that crashes while its successor starts leaves its place to it', async (t) => {
  const world = await makePoolWorld(t);
  await world.serve({ settings: { ...backoff, recycleRequests: 1 } });
  world.upstream(0).finished = 5;
  world.children.onSpawn = () => {};
  world.clock.advance(1000);
  await world.crash(world.upstream(0));
  world.clock.advance(10_000);
  assert.equal(world.children.all.length, 2, 'no third one');
  world.children.at(1).becomeReady();
  await world.untilReady(2);
  assert.deepEqual(failures(world.dispatch()), [undefined]);
});

test('when the successor fails as well, the place is filled again like after a crash', async (t) => {
  const world = await makePoolWorld(t);
  await world.serve({ settings: { ...backoff, recycleRequests: 1 } });
  world.upstream(0).finished = 5;
  world.children.onSpawn = () => {};
  world.clock.advance(1000);
  await world.crash(world.upstream(0));
  world.children.onSpawn = (child) => child.becomeReady();
  world.children.at(1).exit(1);
  await world.log.seen('app-recycle-failed');
  world.clock.advance(1000);
  await world.untilReady(2);
});

test('a successor that crashes while the old one still drains is mended', async (t) => {
  const world = await makePoolWorld(t);
  await world.serve({ threads: 1, settings: { ...backoff, recycleRequests: 1 } });
  world.dispatch();
  world.upstream(0).finished = 5;
  world.clock.advance(1000);
  await world.untilReady(2);
  await world.crash(world.upstream(1));
  world.clock.advance(1000);
  await world.untilReady(3);
  assert.deepEqual(failures(world.dispatch()), [undefined]);
  assert.deepEqual(world.upstream(0).carried, ['r1']);
});

test('SIGTERM from outside: a successor takes over, and no request is lost', async (t) => {
  const world = await makePoolWorld(t);
  await world.serve({ threads: 1 });
  const [request] = world.dispatch();
  world.children.at(0).tell({ event: 'terminated' });
  await world.untilReady(2);
  world.upstream(0).finish();
  await world.log.until(() => world.children.at(0).hasEnded, 'the old process ends');
  assert.equal(request?.failure, undefined);
  assert.equal(world.children.running.length, 1);
});

test('SIGTERM from outside, and no successor starts: it stays due, and is replaced when one does', async (t) => {
  const world = await makePoolWorld(t);
  await world.serve({ threads: 1, settings: backoff });
  world.children.onSpawn = (child) => child.exit(1);
  world.children.at(0).tell({ event: 'terminated' });
  await world.log.seen('app-recycle-failed');
  world.children.onSpawn = (child) => child.becomeReady();
  await world.clock.advanceAsync(31_000);
  await world.untilReady(2);
  await world.log.until(() => world.children.at(0).hasEnded, 'the old process ends');
});

test('scale up and down', async (t) => {
  const world = await makePoolWorld(t);
  await world.serve({ processes: 1, threads: 1 });
  assert.equal(world.upstream(0).isMultiprocess(), false);
  await world.pool.scale(3, 3);
  assert.equal(world.children.running.length, 3);
  assert.equal(world.upstream(0).isMultiprocess(), true);
  const requests = world.dispatch(3);
  assert.equal(world.pool.queued, 0);
  const scaled = world.pool.scale(1, 1);
  await world.clock.advanceAsync(1000);
  for (const upstream of world.upstreams) upstream.finish();
  await scaled;
  assert.deepEqual(failures(requests), [undefined, undefined, undefined]);
  assert.deepEqual(world.children.running, [world.children.at(0)]);
  assert.equal(world.upstream(0).isMultiprocess(), false);
});

test('a scale up that fails leaves the number as it was', async (t) => {
  const world = await makePoolWorld(t);
  await world.serve({ processes: 1 });
  world.children.onSpawn = (child) => (child.pid === 1003 ? child.exit(1) : child.becomeReady());
  await assert.rejects(world.pool.scale(4, 4), { code: 'app-exited' });
  assert.deepEqual(world.children.running, [world.children.at(0)]);
  assert.equal(world.upstream(0).isMultiprocess(), false, 'the application is alone still');
});

test('a place that is due to be filled again is not filled twice by a scale', async (t) => {
  const world = await makePoolWorld(t);
  await world.serve({ processes: 2, settings: backoff });
  await world.crash(
    world.upstreams.find(({ path }) => path === world.children.at(1).args[0]) ?? world.upstream(1),
  );
  await world.pool.scale(1, 1);
  world.children.onSpawn = () => {};
  const scaled = world.pool.scale(2, 2);
  world.clock.advance(1000);
  await world.children.started(4);
  for (const child of world.children.running) child.becomeReady();
  await scaled;
  await world.log.until(() => world.children.running.length === 2, 'one of the two is surplus');
  assert.equal((await world.pool.status()).apps.length, 2);
});

test('a process that died of memory says so', async (t) => {
  const world = await makePoolWorld(t);
  await world.serve({ settings: backoff });
  await world.crash(world.upstream(0), 'SIGKILL');
  assert.match(world.log.all('app-crashed')[0]?.message ?? '', /was killed \(SIGKILL\).*memory/);
});

import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { FakeRequest } from '../../../support/fake-request.js';
import type { FakeUpstream } from '../../../support/fake-upstream.js';
import { failures, makePoolWorld, type PoolWorld } from '../../../support/pool-world.js';

test('a GET that was alone in its process is not repeated, and its address is named', async (t) => {
  const world = await makePoolWorld(t);
  await world.serve({ processes: 2 });
  const [request] = world.dispatch(1, 'GET', '/report');
  await world.crash(carrierOf(world, request));
  assert.equal(request?.failure, 'upstream-died');
  const [suspect] = world.log.all('request-suspect');
  assert.equal(suspect?.message, 'GET /report has ended a process');
  const { suspects } = await world.pool.status();
  assert.deepEqual(
    suspects.map(({ method, path, processes, treatment }) => [method, path, processes, treatment]),
    [['GET', '/report', 1, 'apart']],
  );
});

test('the next one of a suspect address runs on a process of its own, where nothing else is in danger', async (t) => {
  const world = await makePoolWorld(t);
  await world.serve({ processes: 2, threads: 2 });
  await endProcess(world, '/report');
  await world.untilReady(3);

  const [suspect] = world.dispatch(1, 'GET', '/report');
  assert.equal(world.pool.queued, 1, 'until there is such a process');
  await world.log.seen('app-standby');
  const apart = carrierOf(world, suspect);
  const others = world.dispatch(6, 'GET', '/page');
  assert.deepEqual(apart.carried, [suspect?.id]);
  assert.equal(world.pool.queued, 2, 'the others wait for the others');
  await world.crash(apart);
  assert.equal(suspect?.failure, 'upstream-died');
  assert.deepEqual(new Set(failures(others)), new Set([undefined]));
  assert.equal((await world.pool.status()).apps.length, 2);
});

test('from its second process apart on it is refused for a while, then tried again, ever later', async (t) => {
  const world = await makePoolWorld(t);
  await world.serve({ settings: { queueTimeoutMs: 1_000_000 } });
  for (let death = 1; death <= 3; death += 1) await endProcess(world, '/report', death);
  assert.deepEqual(failures(world.dispatch(1, 'GET', '/report')), ['suspect']);
  assert.deepEqual(
    failures(world.dispatch(1, 'POST', '/report')),
    [undefined],
    'another method is another one',
  );
  world.clock.advance(9_000);
  assert.deepEqual(failures(world.dispatch(1, 'GET', '/report')), ['suspect']);
  world.clock.advance(1_000);
  await endProcess(world, '/report', 4);
  assert.equal(
    world.log.all('request-suspect').at(-1)?.message,
    'GET /report has ended 4 processes in 10 minutes',
  );
  world.clock.advance(19_000);
  assert.deepEqual(failures(world.dispatch(1, 'GET', '/report')), ['suspect']);
});

test('of several in flight those that can be repeated run apart, the newest first, until one has ended a process', async (t) => {
  const world = await makePoolWorld(t);
  await world.serve({ threads: 4 });
  const [slow] = world.dispatch(1, 'GET', '/slow');
  const [post] = world.dispatch(1, 'POST', '/form');
  const [page] = world.dispatch(1, 'GET', '/page');
  const [culprit] = world.dispatch(1, 'GET', '/report');
  await world.crash(world.upstream(0));
  assert.equal(post?.failure, 'upstream-died');
  await world.log.seen('app-standby');
  await world.untilReady(2);
  const apart = carrierOf(world, culprit);
  assert.deepEqual(apart.carried, [culprit?.id]);

  await world.crash(apart);
  assert.equal(culprit?.failure, 'upstream-died');
  assert.equal(carrierOf(world, slow), carrierOf(world, page), 'they go the usual way');
  assert.deepEqual(failures([slow, page] as FakeRequest[]), [undefined, undefined]);
  const { suspects } = await world.pool.status();
  assert.deepEqual(
    suspects.map(({ path }) => path),
    ['/report'],
  );
});

test('an address that was in flight by chance clears itself by one answer', async (t) => {
  const world = await makePoolWorld(t);
  await world.serve({ threads: 3 });
  const [first] = world.dispatch(1, 'GET', '/page');
  const [second] = world.dispatch(1, 'GET', '/other');
  await world.crash(world.upstream(0), 'SIGKILL');
  await world.log.seen('app-standby');
  await world.untilReady(2);
  carrierOf(world, second).finish();
  carrierOf(world, first).finish();
  const again = world.dispatch(1, 'GET', '/page');
  assert.notEqual(carrierOf(world, again[0]), carrierOfPath(world, first?.sentTo.at(-1)), 'the usual way');
  assert.deepEqual(await world.pool.status().then(({ suspects }) => suspects), []);
});

test('requests that take long wait for one another only a moment', async (t) => {
  const world = await makePoolWorld(t);
  await world.serve({ threads: 4 });
  const requests = world.dispatch(4, 'GET', '/slow');
  await world.crash(world.upstream(0), 'SIGKILL');
  await world.log.seen('app-standby');
  const apart = carrierOf(world, requests.at(-1));
  assert.equal(apart.inFlight, 1);
  world.clock.advance(1_500);
  assert.equal(apart.inFlight, 4);
});

test('a process that was at work comes back at once, however often it ends', async (t) => {
  const world = await makePoolWorld(t);
  await world.serve({
    settings: { restartBudget: 2, restartBackoffMs: 60_000, restartBackoffMaxMs: 60_000 },
  });
  for (let crash = 0; crash < 20; crash += 1) {
    const [request] = world.dispatch(1, 'GET', `/report/${crash}`);
    await world.crash(carrierOf(world, request));
    await world.untilReady(crash + 2);
  }
  assert.deepEqual(failures(world.dispatch()), [undefined]);
  assert.equal(world.log.all('crash-loop').length, 0);
});

test('where processes end again and again, the next one stands by', async (t) => {
  const world = await makePoolWorld(t);
  await world.serve();
  await endProcess(world, '/a');
  await world.untilReady(2);
  await endProcess(world, '/b');
  await world.log.seen('app-standby');
  world.children.onSpawn = () => {};
  const standby = world.upstreams.at(-1);
  await world.untilReady(3);
  await endProcess(world, '/c');
  await world.untilReady(4);
  const [request] = world.dispatch(1, 'GET', '/page');
  assert.ok(standby && request);
  assert.equal(
    [standby.path, ...world.upstreams.map(({ path }) => path)].includes(String(request.sentTo[0])),
    true,
  );
});

test('the standby process ends when it is not used any more, and is shown beside the others until then', async (t) => {
  const world = await makePoolWorld(t);
  await world.serve({ threads: 2 });
  world.dispatch(2, 'GET', '/page');
  await world.crash(world.upstream(0), 'SIGKILL');
  await world.log.seen('app-standby');
  await world.untilReady(2);
  const during = await world.pool.status();
  assert.equal(during.apps.length, 1);
  assert.equal(during.standby?.state, 'ready');
  world.clock.advance(600);
  world.upstreams.at(-1)?.finish(2);
  for (const upstream of world.upstreams) if (!upstream.isClosed) upstream.finish(2);
  world.clock.advance(62_000);
  await world.log.until(() => world.children.running.length === 1, 'the standby process ends');
});

test('a standby process that does not start: its requests get a 503, the others are served', async (t) => {
  const world = await makePoolWorld(t);
  await world.serve();
  await endProcess(world, '/report');
  await world.untilReady(2);
  world.children.onSpawn = (child) => child.exit(1);
  const [suspect] = world.dispatch(1, 'GET', '/report');
  await world.log.seen('app-start-failed');
  assert.equal(suspect?.failure, 'unavailable');
  assert.deepEqual(failures(world.dispatch(1, 'GET', '/page')), [undefined]);
});

test('a new release begins without suspects', async (t) => {
  const world = await makePoolWorld(t);
  await world.serve();
  for (let death = 1; death <= 3; death += 1) await endProcess(world, '/report', death);
  await world.serve();
  assert.deepEqual(failures(world.dispatch(1, 'GET', '/report')), [undefined]);
  assert.deepEqual((await world.pool.status()).suspects, []);
});

test('suspects are forgotten after ten minutes', async (t) => {
  const world = await makePoolWorld(t);
  await world.serve();
  await endProcess(world, '/report');
  await world.untilReady(2);
  world.clock.advance(600_000);
  assert.deepEqual((await world.pool.status()).suspects, []);
  const [request] = world.dispatch(1, 'GET', '/report');
  assert.equal(carrierOf(world, request), world.upstreams.at(-1));
});

/** A request that ends its process; `death`: the how manyeth of its address. */
async function endProcess(world: PoolWorld, path: string, death = 1): Promise<void> {
  const standbys = world.log.all('app-standby').length;
  const readies = world.log.all('app-ready').length;
  const [request] = world.dispatch(1, 'GET', path);
  if (death > 1 && request?.sentTo.length === 0) await world.log.seen('app-standby', standbys + 1);
  await world.crash(carrierOf(world, request));
  if (death === 1) await world.untilReady(readies + 1);
}

function carrierOf(world: PoolWorld, request: FakeRequest | undefined): FakeUpstream {
  return carrierOfPath(world, request?.sentTo.at(-1));
}

function carrierOfPath(world: PoolWorld, path: string | undefined): FakeUpstream {
  const upstream = world.upstreams.find((one) => one.path === path);
  assert.ok(upstream, 'the request has not been sent');
  return upstream;
}

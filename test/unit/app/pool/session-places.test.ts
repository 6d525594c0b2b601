import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { SessionTie } from '../../../../src/contracts/upstream.js';
import { FakeRequest } from '../../../support/fake-request.js';
import { failures, makePoolWorld, type PoolWorld } from '../../../support/pool-world.js';

/** A request that belongs to a session, or whose answer may begin one. */
class TiedRequest extends FakeRequest {
  readonly tie: SessionTie;
  begin: (session: string) => void = () => {};

  constructor(session?: string) {
    super(`of ${session}`);
    const onceBegun = (tell: (session: string) => void): void => {
      this.begin = tell;
    };
    this.tie = { session, onceBegun };
  }
}

function send(world: PoolWorld, session?: string): TiedRequest {
  const request = new TiedRequest(session);
  world.pool.dispatch(request);
  return request;
}

/** Begins a session, and ends all that is under way; gives the socket of its process. */
function open(world: PoolWorld, session: string): string {
  const request = send(world);
  request.begin(session);
  for (const upstream of world.upstreams) while (upstream.inFlight > 0) upstream.finish();
  return request.sentTo[0] as string;
}

test('the requests of a session go to the process that began it, however busy the others are', async (t) => {
  const world = await makePoolWorld(t);
  await world.serve({ processes: 3, threads: 4 });
  const home = open(world, 'a');
  for (let count = 0; count < 4; count += 1) assert.deepEqual(send(world, 'a').sentTo, [home]);
});

test('when their process can take no more they wait for it, before what any process may have', async (t) => {
  const world = await makePoolWorld(t);
  await world.serve({ processes: 2, threads: 1 });
  const home = open(world, 'a');
  const [other] = world.upstreams.filter(({ path }) => path !== home);
  const [own] = world.upstreams.filter(({ path }) => path === home);
  assert.ok(own && other);
  const first = send(world, 'a');
  const second = send(world, 'a');
  assert.equal(world.pool.queued, 1);
  const [busy, waits] = world.dispatch(2);
  assert.deepEqual(
    [first.sentTo, busy?.sentTo, second.sentTo, waits?.sentTo],
    [[home], [other.path], [], []],
  );
  own.finish();
  assert.deepEqual([second.sentTo, waits?.sentTo], [[home], []]);
  own.finish();
  assert.deepEqual(waits?.sentTo, [home]);
  assert.equal(world.pool.queued, 0);
});

test('those that wait are bounded in number and time, and end with the site', async (t) => {
  const world = await makePoolWorld(t);
  const settings = { queueRequests: 2, queueTimeoutMs: 5000 };
  await world.serve({ processes: 2, threads: 1, settings });
  open(world, 'a');
  const all = Array.from({ length: 4 }, () => send(world, 'a'));
  assert.deepEqual(failures(all), [undefined, undefined, undefined, 'queue-full']);
  world.clock.advance(6000);
  assert.deepEqual(failures(all), [undefined, 'queue-timeout', 'queue-timeout', 'queue-full']);
  const last = send(world, 'a');
  const stopped = world.pool.stop(1000);
  await world.clock.advanceAsync(1000);
  await stopped;
  assert.deepEqual(failures([last]), ['stopping']);
});

test('when the process has died its sessions go on elsewhere, with what waited', async (t) => {
  const world = await makePoolWorld(t);
  await world.serve({ processes: 2, threads: 1 });
  const home = open(world, 'a');
  const [own] = world.upstreams.filter(({ path }) => path === home);
  assert.ok(own);
  send(world, 'a');
  const waiting = send(world, 'a');
  await world.crash(own);
  assert.equal(waiting.sentTo.length, 1);
  assert.notEqual(waiting.sentTo[0], home);
});

test('a reload gives the sessions up: each name then has one place of the new generation', async (t) => {
  const world = await makePoolWorld(t);
  await world.serve({ processes: 3, threads: 4 });
  open(world, 'a');
  await world.serve({ processes: 3, threads: 4 });
  const fresh = world.upstreams.slice(3).map(({ path }) => path);
  const [home = ''] = send(world, 'a').sentTo;
  assert.ok(fresh.includes(home));
  for (let count = 0; count < 3; count += 1) assert.deepEqual(send(world, 'a').sentTo, [home]);
  const spread = new Set(Array.from({ length: 6 }, (_, index) => send(world, `s${index}`).sentTo[0]));
  assert.ok(spread.size > 1, 'names are spread over the processes');
});

test('a reload while more of a session wait than a process can take: they wait on, in their order', async (t) => {
  const world = await makePoolWorld(t);
  await world.serve({ processes: 2, threads: 1 });
  open(world, 'a');
  const all = Array.from({ length: 5 }, () => send(world, 'a'));
  await world.serve({ processes: 2, threads: 1 });
  const home = all[1]?.sentTo[0];
  const [own] = world.upstreams.slice(2).filter(({ path }) => path === home);
  assert.ok(own);
  for (let at = 1; at < all.length; at += 1) {
    const sent = all.slice(1).map(({ sentTo }) => sentTo[0]);
    assert.deepEqual(
      sent,
      Array.from({ length: 4 }, (_, index) => (index < at ? home : undefined)),
    );
    own.finish();
  }
});

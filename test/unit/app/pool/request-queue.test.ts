import assert from 'node:assert/strict';
import { test } from 'node:test';
import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import type { Load } from '../../../../src/app/pool/overload.js';
import { RequestQueue } from '../../../../src/app/pool/request-queue.js';
import { FakeClock } from '../../../support/fake-clock.js';
import { FakeRequest } from '../../../support/fake-request.js';
import { RecordingLog } from '../../../support/recording-log.js';

setFlagsFromString('--expose-gc');
const collectGarbage = runInNewContext('gc') as () => void;

function makeQueue(): { clock: FakeClock; log: RecordingLog; queue: RequestQueue<FakeRequest> } {
  const [clock, log] = [new FakeClock(), new RecordingLog()];
  return { clock, log, queue: new RequestQueue<FakeRequest>(clock, log) };
}

/** The first letter of each is its client. */
function addAll(queue: RequestQueue<FakeRequest>, ids: string, limit = 1000, load?: Load): FakeRequest[] {
  return ids.split(' ').map((id) => {
    const request = new FakeRequest(id);
    request.client = id.charAt(0);
    queue.add(request, limit, load);
    return request;
  });
}

function refusedOf(requests: readonly FakeRequest[]): string {
  return requests
    .filter(({ failure }) => failure === 'queue-full')
    .map(({ id }) => id)
    .join(' ');
}

function takeAll(queue: RequestQueue<FakeRequest>): string[] {
  const ids: string[] = [];
  for (let request = queue.take(); request !== undefined; request = queue.take()) ids.push(request.id);
  return ids;
}

test('of one client: first come, first served', () => {
  const { queue } = makeQueue();
  for (const id of ['a', 'b', 'c']) queue.add(new FakeRequest(id), 10);
  assert.equal(queue.length, 3);
  assert.deepEqual(takeAll(queue), ['a', 'b', 'c']);
  assert.equal(queue.length, 0);
  assert.equal(queue.take(), undefined);
});

test('the order holds over thousands, added and taken in turn', () => {
  const { queue } = makeQueue();
  const taken: string[] = [];
  for (let number = 0; number < 3000; number += 1) {
    queue.add(new FakeRequest(String(number)), 10_000);
    if (number % 3 === 2) taken.push(queue.take()?.id ?? '');
  }
  assert.equal(queue.length, 2000);
  taken.push(...takeAll(queue));
  assert.deepEqual(
    taken,
    Array.from({ length: 3000 }, (_, number) => String(number)),
  );
});

test('it is bounded, and those whose client has left do not count', () => {
  const { queue } = makeQueue();
  const left = new FakeRequest('left');
  queue.add(new FakeRequest('a'), 2);
  queue.add(left, 2);
  const surplus = new FakeRequest('b');
  queue.add(surplus, 2);
  assert.equal(surplus.failure, 'queue-full');
  left.isAbandoned = true;
  queue.add(new FakeRequest('c'), 2);
  assert.deepEqual(takeAll(queue), ['a', 'c']);
});

test('a limit of 0 lets nobody wait', () => {
  const { queue } = makeQueue();
  assert.equal(refusedOf(addAll(queue, 'a', 0)), 'a');
  assert.equal(queue.length, 0);
});

test('those whose client has left are dropped when they come up', () => {
  const { queue } = makeQueue();
  const left = new FakeRequest('left');
  left.isAbandoned = true;
  queue.add(left, 10);
  queue.add(new FakeRequest('a'), 10);
  assert.deepEqual(takeAll(queue), ['a']);
});

test('what has waited already goes in front, also when some were taken', () => {
  const { queue } = makeQueue();
  for (const id of ['a', 'b', 'c']) queue.add(new FakeRequest(id), 10);
  queue.take();
  queue.addFirst(new FakeRequest('again'));
  assert.deepEqual(takeAll(queue), ['again', 'b', 'c']);
});

test('clients are served in turn, however many requests one of them has', () => {
  const { queue } = makeQueue();
  addAll(queue, 'a1 a2 a3 a4 b1 b2 c1');
  assert.deepEqual([queue.take()?.id, queue.take()?.id], ['a1', 'b1']);
  addAll(queue, 'd1 b3');
  assert.equal(queue.length, 7);
  assert.deepEqual(takeAll(queue), ['c1', 'a2', 'b2', 'd1', 'a3', 'b3', 'a4']);
});

test('a client that comes again stands behind the others, and one that has left loses no turn', () => {
  const { queue } = makeQueue();
  addAll(queue, 'a1 b1');
  queue.take();
  const [gone] = addAll(queue, 'a2 a3 b2 a4');
  (gone as FakeRequest).isAbandoned = true;
  assert.deepEqual(takeAll(queue), ['b1', 'a3', 'b2', 'a4']);
});

test('what has waited already goes before all clients', () => {
  const { queue } = makeQueue();
  addAll(queue, 'a1 b1 a2');
  queue.addFirst(new FakeRequest('again'));
  queue.addFirst(new FakeRequest('and again'));
  assert.deepEqual(takeAll(queue), ['and again', 'again', 'a1', 'b1', 'a2']);
});

test('when it is full the newest request of the client with most is refused', () => {
  const { queue } = makeQueue();
  const flood = addAll(queue, 'a1 a2 a3 a4 a5', 4);
  assert.equal(refusedOf(flood), 'a5');
  const visitors = addAll(queue, 'b1 c1 d1 e1', 4);
  assert.equal(refusedOf([...flood, ...visitors]), 'a2 a3 a4 a5 e1');
  assert.equal(queue.length, 4);
  assert.deepEqual(takeAll(queue), ['a1', 'b1', 'c1', 'd1']);
});

test('who has as many as the others, or one less, is refused itself: they would only change places', () => {
  const { queue } = makeQueue();
  const requests = addAll(queue, 'a1 a2 b1 b2 a3', 3);
  assert.equal(refusedOf(requests), 'b2 a3');
  assert.deepEqual(takeAll(queue), ['a1', 'b1', 'a2']);
});

test('in lasting overload a client waits for its turn only, and the crowd of another does not count', () => {
  const { queue, clock } = makeQueue();
  const load = { members: [{ inFlight: 1 }], release: { settings: { overloadWaitMs: 1000 } } };
  addAll(queue, Array.from({ length: 100 }, (_, n) => `a${n}`).join(' '), 1000, load);
  for (let second = 0; second < 3; second += 1) {
    clock.advance(1000);
    queue.take();
  }
  const requests = addAll(queue, 'a100 b1 b2 b3 c1', 1000, load);
  assert.equal(refusedOf(requests), 'a100 b3');
  assert.deepEqual([queue.take()?.id, queue.take()?.id, queue.take()?.id], ['a3', 'b1', 'c1']);
});

test('a swarm of refusals is told once, and once, with their number, that it is over', () => {
  const { queue, clock, log } = makeQueue();
  addAll(queue, 'a1 a2 a3 a4', 1);
  clock.advance(9000);
  addAll(queue, 'b1', 1);
  assert.deepEqual(
    log.all('queue-full').map(({ fields }) => fields),
    [{ queued: 1 }],
  );
  assert.deepEqual(log.all('queue-full-over'), []);
  clock.advance(10_000);
  assert.deepEqual(log.all('queue-full-over')[0]?.fields, { times: 4 });
  addAll(queue, 'b2', 1);
  assert.equal(log.all('queue-full').length, 2);
});

test('what expires takes its client with it, and the turns of the others stay', () => {
  const { queue, clock } = makeQueue();
  addAll(queue, 'a1 b1');
  clock.advance(600);
  addAll(queue, 'b2 c1');
  clock.advance(400);
  queue.expire(1000);
  assert.equal(queue.length, 2);
  addAll(queue, 'a2');
  assert.deepEqual(takeAll(queue), ['b2', 'c1', 'a2']);
  assert.equal(queue.length, 0);
});

test('expire fails those that have waited too long, and only those', () => {
  const { queue, clock } = makeQueue();
  const [old, young] = [new FakeRequest('old'), new FakeRequest('young')];
  queue.add(old, 10);
  clock.advance(600);
  queue.add(young, 10);
  clock.advance(400);
  queue.expire(1000);
  assert.equal(old.failure, 'queue-timeout');
  assert.equal(young.failure, undefined);
  assert.deepEqual(takeAll(queue), ['young']);
});

test('one that was put in front does not keep those behind it from expiring', () => {
  const { queue, clock } = makeQueue();
  const old = new FakeRequest('old');
  queue.add(old, 10);
  clock.advance(900);
  queue.addFirst(new FakeRequest('again'));
  clock.advance(100);
  queue.expire(1000);
  assert.equal(old.failure, 'queue-timeout');
  assert.deepEqual(takeAll(queue), ['again']);
});

test('one whose client has left is not failed', () => {
  const { queue, clock } = makeQueue();
  const left = new FakeRequest('left');
  queue.add(left, 10);
  left.isAbandoned = true;
  clock.advance(5000);
  queue.expire(1000);
  assert.equal(left.failure, undefined);
  assert.equal(queue.length, 0);
});

test('failAll empties it', () => {
  const { queue } = makeQueue();
  const requests = ['a', 'b'].map((id) => new FakeRequest(id));
  for (const request of requests) queue.add(request, 10);
  queue.failAll('stopping');
  assert.deepEqual(
    requests.map(({ failure }) => failure),
    ['stopping', 'stopping'],
  );
  assert.equal(queue.length, 0);
});

test('a request that was taken is not kept in memory', async () => {
  const { queue } = makeQueue();
  const reference = new WeakRef(addAndTake(queue));
  queue.add(new FakeRequest('next'), 10);
  await new Promise((resolve) => setImmediate(resolve));
  collectGarbage();
  assert.equal(reference.deref(), undefined);
  assert.equal(queue.length, 1);
});

function addAndTake(queue: RequestQueue<FakeRequest>): FakeRequest {
  queue.add(new FakeRequest('taken'), 10);
  return queue.take() as FakeRequest;
}

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import { RequestQueue } from '../../../../src/app/pool/request-queue.js';
import { FakeClock } from '../../../support/fake-clock.js';
import { FakeRequest } from '../../../support/fake-request.js';

setFlagsFromString('--expose-gc');
const collectGarbage = runInNewContext('gc') as () => void;

function makeQueue(): { clock: FakeClock; queue: RequestQueue<FakeRequest> } {
  const clock = new FakeClock();
  return { clock, queue: new RequestQueue<FakeRequest>(clock) };
}

function takeAll(queue: RequestQueue<FakeRequest>): string[] {
  const ids: string[] = [];
  for (let request = queue.take(); request !== undefined; request = queue.take()) ids.push(request.id);
  return ids;
}

test('first come, first served', () => {
  const { queue } = makeQueue();
  for (const id of ['a', 'b', 'c']) assert.ok(queue.add(new FakeRequest(id), 10));
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
  assert.equal(queue.add(new FakeRequest('b'), 2), false);
  left.isAbandoned = true;
  assert.equal(queue.add(new FakeRequest('c'), 2), true);
  assert.deepEqual(takeAll(queue), ['a', 'c']);
});

test('a limit of 0 lets nobody wait', () => {
  const { queue } = makeQueue();
  assert.equal(queue.add(new FakeRequest('a'), 0), false);
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

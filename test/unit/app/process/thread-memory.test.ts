import assert from 'node:assert/strict';
import { test } from 'node:test';
import {
  chooseThreadMemoryLimits,
  type GuardedThread,
  ThreadMemory,
} from '../../../../src/app/process/thread-memory.js';
import { FakeClock } from '../../../support/fake-clock.js';

const MIB = 1024 * 1024;
const limits = { largeBytes: 100 * MIB, mostBytes: 200 * MIB };

class World {
  readonly clock = new FakeClock();
  threadsBytes = 0;
  readonly memory = new ThreadMemory(
    limits,
    // The main thread, and the program itself, come on top.
    { rssBytes: () => this.threadsBytes + 94 * MIB, ownBytes: () => 30 * MIB },
    this.clock,
  );

  watch(usedBytes: number | undefined): { events: string[]; stop: () => void } {
    const events: string[] = [];
    const thread: GuardedThread = {
      usedBytes: () => usedBytes,
      measure: () => events.push('measure'),
      onLarge: () => events.push('large'),
      onExhausted: (limitBytes) => events.push(`exhausted ${limitBytes / MIB}`),
    };
    return { events, stop: this.memory.watch(thread) };
  }

  check(threadsBytes: number): void {
    this.threadsBytes = threadsBytes;
    this.clock.advance(100);
  }
}

test('nothing is asked while memory is not the question', () => {
  const world = new World();
  const { events } = world.watch(1);
  world.check(99 * MIB);
  assert.deepEqual(events, []);
});

test('a thread that grows is asked, and is told when it is large', () => {
  const world = new World();
  const small = world.watch(10 * MIB);
  const large = world.watch(101 * MIB);
  world.check(111 * MIB);
  assert.deepEqual(small.events, ['measure']);
  assert.deepEqual(large.events, ['large', 'measure']);
});

test('at the limit the largest is ended, and one that does not answer before all others', () => {
  const world = new World();
  const large = world.watch(150 * MIB);
  const small = world.watch(51 * MIB);
  world.check(201 * MIB);
  assert.ok(large.events.includes('exhausted 200'));
  const looping = world.watch(undefined);
  large.events.length = 0;
  world.check(201 * MIB);
  assert.deepEqual(looping.events, ['exhausted 200', 'measure']);
  assert.ok(!large.events.includes('exhausted 200'));
  assert.ok(!small.events.includes('exhausted 200'));
});

test('a thread that has ended is not watched', () => {
  const world = new World();
  const { events, stop } = world.watch(300 * MIB);
  stop();
  world.check(300 * MIB);
  assert.deepEqual(events, []);
});

test('half of the memory of the machine, or of its container, at most', () => {
  const GIB = 1024 * MIB;
  assert.deepEqual(chooseThreadMemoryLimits(8 * GIB, 0), { mostBytes: 768 * MIB, largeBytes: 384 * MIB });
  assert.equal(chooseThreadMemoryLimits(8 * GIB, 512 * MIB).mostBytes, 256 * MIB);
  // Without a limit some systems tell an enormous one.
  assert.equal(chooseThreadMemoryLimits(GIB, 2 ** 63).mostBytes, 512 * MIB);
});

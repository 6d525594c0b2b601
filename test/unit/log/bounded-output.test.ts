import assert from 'node:assert/strict';
import { test } from 'node:test';
import { BoundedOutput, type LineSink } from '../../../src/log/bounded-output.js';
import type { OutputNews } from '../../../src/log/output.js';
import { FakeClock } from '../../support/fake-clock.js';

const line = `${'x'.repeat(1023)}\n`;
const megabyteOfLines = line.repeat(1024);

/** A descriptor whose writes end when told to. */
class SlowSink implements LineSink {
  taken = '';
  isBrokenOff = false;
  #write: { bytes: Buffer; done: (error: NodeJS.ErrnoException | null, taken: number) => void } | undefined;

  write(bytes: Buffer, done: (error: NodeJS.ErrnoException | null, taken: number) => void): void {
    assert.equal(this.#write, undefined, 'one write at a time');
    this.#write = { bytes, done };
  }

  get isWriting(): boolean {
    return this.#write !== undefined;
  }

  /** Default: all of what is being written. */
  take(count?: number): void {
    const { bytes, done } = this.#next();
    const taken = bytes.subarray(0, count ?? bytes.length);
    this.taken += taken.toString();
    done(null, taken.length);
  }

  takeAll(): void {
    while (this.isWriting) this.take();
  }

  fail(code: string): void {
    this.#next().done(Object.assign(new Error(`${code}: it failed, write`), { code }), 0);
  }

  breakOff(): void {
    this.isBrokenOff = true;
  }

  #next() {
    const write = this.#write;
    assert.ok(write !== undefined, 'nothing is being written');
    this.#write = undefined;
    return write;
  }
}

function openOutput() {
  const sink = new SlowSink();
  const clock = new FakeClock();
  const output = new BoundedOutput(sink, clock);
  const news: OutputNews[] = [];
  output.onNews((each) => news.push(each));
  return { sink, clock, output, news, kinds: () => news.map(({ kind }) => kind) };
}

test('a write that takes a part is followed by one of the rest', () => {
  const { sink, output } = openOutput();
  output.write('first line\n');
  output.write('second\n');
  sink.take(4);
  sink.takeAll();
  assert.equal(sink.taken, 'first line\nsecond\n');
});

test('a source is held back until what waits is read', () => {
  const { sink, clock, output } = openOutput();
  let calls = 0;
  output.write(line);
  assert.equal(output.isBehind, false);
  output.onceCaughtUp(() => calls++);
  assert.equal(calls, 1, 'called at once where it keeps up');

  output.write(megabyteOfLines + line);
  assert.equal(output.isBehind, true);
  output.onceCaughtUp(() => calls++);
  assert.equal(calls, 1);
  sink.takeAll();
  assert.equal(calls, 2);
  assert.equal(output.isBehind, false);
  assert.equal(clock.pending, 0);
});

test('nobody waits for a reader that takes nothing for two seconds', () => {
  const { sink, clock, output } = openOutput();
  let calls = 0;
  output.write(line);
  output.write(megabyteOfLines + line);
  output.onceCaughtUp(() => calls++);

  clock.advance(1_999);
  assert.equal(calls, 0);
  clock.advance(1);
  assert.equal(calls, 1);
  assert.equal(output.isBehind, false);

  sink.takeAll();
  output.write(line);
  output.write(megabyteOfLines + line);
  assert.equal(output.isBehind, true, 'it has woken up');
});

test('a slow reader is waited for as long as it reads', () => {
  const { sink, clock, output } = openOutput();
  let calls = 0;
  for (let n = 0; n < 8; n += 1) output.write(megabyteOfLines);
  output.onceCaughtUp(() => calls++);
  for (let n = 0; n < 4; n += 1) {
    sink.take();
    clock.advance(2_000);
  }
  assert.equal(calls, 0);
});

test('what would fill the memory is left out and counted, and told when there is room', () => {
  const { sink, output, news } = openOutput();
  for (let n = 0; n < 40; n += 1) output.write(megabyteOfLines);
  assert.deepEqual(news, []);
  sink.takeAll();
  const written = sink.taken.length / line.length;
  assert.ok(written <= 18 * 1024, `${written} KiB`);
  assert.deepEqual(news, [{ kind: 'caught-up', lostLines: 40 * 1024 - written }]);
  output.write(line);
  sink.takeAll();
  assert.equal(sink.taken.length / line.length, written + 1);
});

test('a full pipe is tried again, less and less often', () => {
  const { sink, clock, output, news } = openOutput();
  output.write('a line\n');
  const waits: (number | undefined)[] = [];
  for (let n = 0; n < 10; n += 1) {
    sink.fail('EAGAIN');
    assert.equal(sink.isWriting, false);
    waits.push(clock.nextInMs);
    clock.advance(clock.nextInMs ?? 0);
  }
  assert.deepEqual(waits, [1, 2, 4, 8, 16, 32, 64, 100, 100, 100]);
  sink.take(1);
  sink.fail('EAGAIN');
  assert.equal(clock.nextInMs, 1, 'its reader is there again');
  clock.advance(1);
  sink.takeAll();
  assert.equal(sink.taken, 'a line\n');
  assert.deepEqual(news, []);
});

for (const code of ['ENOSPC', 'EDQUOT', 'EFBIG', 'EIO', 'ESTALE']) {
  test(`${code} is told once, tried again each second, and its end is told with the count`, () => {
    const { sink, clock, output, news, kinds } = openOutput();
    output.write('first line\n');
    sink.take(3);
    sink.fail(code);
    assert.deepEqual(kinds(), ['failed']);
    for (let n = 0; n < 3; n += 1) {
      clock.advance(999);
      assert.equal(sink.isWriting, false);
      clock.advance(1);
      sink.fail(code);
    }
    for (let n = 0; n < 4; n += 1) output.write(megabyteOfLines);
    assert.equal(output.isBehind, false, 'nobody waits for a disk');
    clock.advance(1000);
    sink.takeAll();
    const kept = (sink.taken.length - 'first line\n'.length) / line.length;
    assert.ok(kept <= 2048 && kept > 0, `${kept} KiB`);
    assert.ok(sink.taken.startsWith(`first line\n${line}`), 'no line is torn');
    assert.deepEqual(news.slice(1), [{ kind: 'recovered', lostLines: 4 * 1024 - kept }]);
    assert.equal(clock.pending, 0);
  });
}

for (const code of ['EPIPE', 'ECONNRESET', 'EBADF']) {
  test(`after ${code} nothing is kept or tried any more, and everybody goes on`, () => {
    const { sink, clock, output, kinds } = openOutput();
    let calls = 0;
    output.write(line);
    output.write(megabyteOfLines + line);
    output.onceCaughtUp(() => calls++);
    sink.fail(code);
    assert.equal(calls, 1);
    output.write(line);
    assert.equal(sink.isWriting, false);
    assert.equal(clock.pending, 0);
    assert.deepEqual(kinds(), ['closed']);
  });
}

test('the end waits for what is being written, and for so long only', async () => {
  const { sink, clock, output } = openOutput();
  assert.equal(await output.settle(1000), 'none');
  output.write('a line\n');
  const written = output.settle(1000);
  sink.takeAll();
  assert.equal(await written, 'none');

  output.write('a line\n');
  const stuck = output.settle(1000);
  await clock.advanceAsync(999);
  assert.equal(sink.isBrokenOff, false);
  await clock.advanceAsync(501);
  assert.equal(sink.isBrokenOff, true);
  assert.equal(await stuck, 'stuck');
});

test('the end does not wait for a reader that has stopped', async () => {
  const { sink, clock, output } = openOutput();
  output.write('a line\n');
  sink.fail('EAGAIN');
  const end = output.settle(1.5);
  clock.advance(1);
  sink.fail('EAGAIN');
  await clock.advanceAsync(1);
  assert.equal(await end, 'unwritten');
});

test('the end does not wait for a disk that is full', async () => {
  const { sink, output } = openOutput();
  output.write('a line\n');
  const end = output.settle(undefined);
  sink.fail('ENOSPC');
  assert.equal(await end, 'unwritten');
  assert.equal(await output.settle(undefined), 'unwritten');
});

import assert from 'node:assert/strict';
import { Writable } from 'node:stream';
import { test } from 'node:test';
import { BoundedOutput } from '../../../src/log/bounded-output.js';
import { FakeClock } from '../../support/fake-clock.js';

const line = `${'x'.repeat(1023)}\n`;
/** 1 MiB, the least that is too much. */
const pileOfLines = line.repeat(1024);

/** A pipe whose reader takes one written piece at a time, when told to. */
class SlowPipe extends Writable {
  readonly taken: string[] = [];
  #onTaken: (() => void) | undefined;

  override _write(piece: Buffer, _encoding: string, onTaken: () => void): void {
    this.taken.push(piece.toString());
    this.#onTaken = onTaken;
  }

  take(): void {
    const onTaken = this.#onTaken;
    this.#onTaken = undefined;
    onTaken?.();
  }
}

/** `drain` comes in a later turn. */
async function takeAll(pipe: SlowPipe): Promise<void> {
  for (let n = 0; n < 100 && pipe.writableLength > 0; n += 1) {
    pipe.take();
    await new Promise(setImmediate);
  }
}

test('a source is held back until everything is read', async () => {
  const pipe = new SlowPipe();
  const clock = new FakeClock();
  const output = new BoundedOutput(pipe, clock);
  let calls = 0;

  output.write(pileOfLines);
  assert.equal(output.isBehind, false);
  output.onceCaughtUp(() => calls++);
  assert.equal(calls, 1, 'called at once where it keeps up');

  output.write(line);
  assert.equal(output.isBehind, true);
  output.onceCaughtUp(() => calls++);
  assert.equal(calls, 1);
  await takeAll(pipe);
  assert.equal(calls, 2);
  assert.equal(output.isBehind, false);
  assert.equal(clock.pending, 0);
});

test('nobody waits for a reader that takes nothing for two seconds', async () => {
  const pipe = new SlowPipe();
  const clock = new FakeClock();
  const output = new BoundedOutput(pipe, clock);
  let calls = 0;
  output.write(pileOfLines + line);
  output.onceCaughtUp(() => calls++);

  clock.advance(1_999);
  assert.equal(calls, 0);
  clock.advance(1);
  assert.equal(calls, 1);
  assert.equal(output.isBehind, false);

  await takeAll(pipe);
  output.write(pileOfLines + line);
  assert.equal(output.isBehind, true, 'it has woken up');
});

test('a slow reader is waited for as long as it reads', () => {
  const pipe = new SlowPipe();
  const clock = new FakeClock();
  const output = new BoundedOutput(pipe, clock);
  let calls = 0;
  for (let n = 0; n < 8; n += 1) output.write(pileOfLines);
  output.onceCaughtUp(() => calls++);
  for (let n = 0; n < 4; n += 1) {
    pipe.take();
    clock.advance(2_000);
  }
  assert.equal(calls, 0);
});

test('what would fill the memory is left out and counted', async () => {
  const pipe = new SlowPipe();
  const output = new BoundedOutput(pipe, new FakeClock());
  for (let n = 0; n < 40; n += 1) output.write(pileOfLines);
  assert.ok(pipe.writableLength <= 17 * 1024 * 1024);
  assert.equal(output.takeLostLines(), 0, 'told only when there is room for it');

  await takeAll(pipe);
  const written = pipe.taken.join('').length / line.length;
  assert.equal(output.takeLostLines(), 40 * 1024 - written);
  assert.equal(output.takeLostLines(), 0);
  output.write(line);
  assert.equal(pipe.taken.at(-1), line);
});

test('a pipe that breaks lets everybody go on', async () => {
  const pipe = new SlowPipe();
  const clock = new FakeClock();
  const output = new BoundedOutput(pipe, clock);
  let calls = 0;
  output.write(pileOfLines + line);
  output.onceCaughtUp(() => calls++);
  pipe.destroy();
  await new Promise(setImmediate);
  assert.equal(calls, 1);
  assert.equal(clock.pending, 0);
});

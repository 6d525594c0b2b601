import assert from 'node:assert/strict';
import { once } from 'node:events';
import { PassThrough } from 'node:stream';
import { test } from 'node:test';
import { noBackpressure } from '../../../src/log/backpressure.js';
import { readLines, relayLines } from '../../../src/log/read-lines.js';

async function linesOf(pieces: readonly (string | Buffer)[]): Promise<string[]> {
  const source = new PassThrough();
  const lines: string[] = [];
  readLines(source, (line) => lines.push(line));
  for (const piece of pieces) source.write(piece);
  source.end();
  await once(source, 'end');
  return lines;
}

test('lines, however they are cut', async () => {
  assert.deepEqual(await linesOf(['a\nb', 'c\r\n', '\n', 'd']), ['a', 'bc', '', 'd']);
  assert.deepEqual(await linesOf([]), []);
  assert.deepEqual(await linesOf(['a\n']), ['a']);
});

test('a character that is cut is put together; half a one at the end is marked', async () => {
  const bytes = Buffer.from('größe\n');
  assert.deepEqual(await linesOf([...bytes].map((byte) => Buffer.from([byte]))), ['größe']);
  assert.deepEqual(await linesOf([Buffer.from([0x61, 0xc3])]), ['a\ufffd']);
});

test('a line without end is cut, so that it does not fill the memory', async () => {
  const lines = await linesOf(['x'.repeat(40_000), 'y\nz\n']);
  assert.deepEqual(
    lines.map(({ length }) => length),
    [16_384, 16_384, 40_001 - 2 * 16_384, 1],
  );
});

test('an event of the gateway is longer than any line of output, and comes whole', async () => {
  const event = JSON.stringify({ event: 'failed', error: 'x'.repeat(100_000) });
  const source = new PassThrough();
  const lines: string[] = [];
  readLines(source, (line) => lines.push(line), { maxLineLength: 1_000_000 });
  for (let at = 0; at < event.length; at += 30_000) source.write(event.slice(at, at + 30_000));
  source.end('\n');
  await once(source, 'end');
  assert.deepEqual(lines, [event]);
});

async function relay(...pieces: readonly Buffer[]): Promise<string[]> {
  const source = new PassThrough();
  const written: string[] = [];
  relayLines(source, noBackpressure, (lines) => written.push(lines));
  for (const piece of pieces) source.write(piece);
  source.end();
  await new Promise((resolve) => source.once('close', resolve));
  return written;
}

test('relayed lines are passed on whole, however they arrive', async () => {
  const text = Buffer.from('one\ntwo\nthrée\n');
  const cut = text.indexOf(0xc3) + 1;
  assert.deepEqual(await relay(text.subarray(0, 5), text.subarray(5, cut), text.subarray(cut)), [
    'one\n',
    'two\n',
    'thrée\n',
  ]);
});

test('the last line of a process that was killed is ended', async () => {
  assert.deepEqual(await relay(Buffer.from('one\ntw')), ['one\n', 'tw\n']);
});

test('a source is held back while the output is behind', () => {
  const source = new PassThrough();
  let goOn = (): void => assert.fail('nobody waits');
  const backpressure = {
    isBehind: true,
    onceCaughtUp: (callback: () => void) => {
      goOn = callback;
    },
  };
  relayLines(source, backpressure, () => undefined);
  source.emit('data', 'one\n');
  assert.equal(source.isPaused(), true);
  goOn();
  assert.equal(source.isPaused(), false);
});

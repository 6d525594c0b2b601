import assert from 'node:assert/strict';
import { once } from 'node:events';
import { PassThrough } from 'node:stream';
import { test } from 'node:test';
import { LastLines, readLines } from '../../../../src/app/process/output-lines.js';

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
  readLines(source, (line) => lines.push(line), { maxLineCharacters: 1_000_000 });
  for (let at = 0; at < event.length; at += 30_000) source.write(event.slice(at, at + 30_000));
  source.end('\n');
  await once(source, 'end');
  assert.deepEqual(lines, [event]);
});

test('the last lines are kept', () => {
  const last = new LastLines(2);
  assert.equal(last.text, '');
  for (const line of ['a', 'b', 'c']) last.push(line);
  assert.equal(last.text, 'b\nc');
});

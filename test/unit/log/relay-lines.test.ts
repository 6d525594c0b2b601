import assert from 'node:assert/strict';
import { PassThrough } from 'node:stream';
import { test } from 'node:test';
import { evenPace } from '../../../src/log/pace.js';
import { relayLines } from '../../../src/log/relay-lines.js';

async function relay(...pieces: readonly Buffer[]): Promise<string[]> {
  const source = new PassThrough();
  const written: string[] = [];
  relayLines(source, evenPace, (lines) => written.push(lines));
  for (const piece of pieces) source.write(piece);
  source.end();
  await new Promise((resolve) => source.once('close', resolve));
  return written;
}

test('lines are passed on whole, however they arrive', async () => {
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
  const pace = {
    isBehind: true,
    onceCaughtUp: (callback: () => void) => {
      goOn = callback;
    },
  };
  relayLines(source, pace, () => undefined);
  source.emit('data', 'one\n');
  assert.equal(source.isPaused(), true);
  goOn();
  assert.equal(source.isPaused(), false);
});

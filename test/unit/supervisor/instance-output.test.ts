import assert from 'node:assert/strict';
import { test } from 'node:test';
import { noBackpressure } from '../../../src/log/backpressure.js';
import type { Output } from '../../../src/log/output.js';
import { InstanceOutput } from '../../../src/supervisor/instance-output.js';

/** A stream that keeps what is written to it; `lostLines` are told once. */
function recordingOutput(isTerminal: boolean, lostLines = 0): Output & { readonly written: string[] } {
  const written: string[] = [];
  let lost = lostLines;
  return {
    written,
    write: (text) => written.push(text),
    takeLostLines: () => {
      const count = lost;
      lost = 0;
      return count;
    },
    backpressure: noBackpressure,
    isTerminal,
    colour: false,
  };
}

function openOutput({ isTerminal = false, lostLines = 0 } = {}) {
  const outputs = {
    stdout: recordingOutput(isTerminal, lostLines),
    stderr: recordingOutput(isTerminal),
  };
  return { ...outputs, output: new InstanceOutput(outputs, { logFormat: 'auto', logLevel: 'info' }) };
}

test('what is logged, and the lines of workers, are written and kept for easyserve logs', () => {
  const { stdout, stderr, output } = openOutput();
  output.log.info('a', 'first');
  output.takeLines('of a worker\n', 'stderr');
  assert.match(stdout.written.join(''), /first/);
  assert.deepEqual(stderr.written, ['of a worker\n']);
  const [first = '', second] = output.recentLines.last(10);
  assert.deepEqual([`${first}\n`, second], [stdout.written.join(''), 'of a worker']);
});

test('lines for people on a terminal, for programs elsewhere', () => {
  assert.equal(openOutput({ isTerminal: true }).output.format, 'pretty');
  assert.equal(openOutput().output.format, 'json');
});

test('lines that were lost are counted in a warning, once', () => {
  const { stderr, output } = openOutput({ lostLines: 3 });
  output.takeLines('a\n', 'stdout');
  output.takeLines('b\n', 'stdout');
  assert.equal(stderr.written.length, 1);
  assert.match(stderr.written[0] ?? '', /"lines-lost".*3 lines of stdout/);
});

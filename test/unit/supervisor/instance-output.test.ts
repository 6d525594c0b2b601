import assert from 'node:assert/strict';
import { test } from 'node:test';
import { noBackpressure } from '../../../src/log/backpressure.js';
import type { Output, OutputNews } from '../../../src/log/output.js';
import { InstanceOutput } from '../../../src/supervisor/instance-output.js';

interface RecordedOutput extends Output {
  readonly written: string[];
  tell(news: OutputNews): void;
}

/** A stream that keeps what is written to it. */
function recordingOutput(isTerminal: boolean): RecordedOutput {
  const written: string[] = [];
  const listeners: ((news: OutputNews) => void)[] = [];
  return {
    written,
    tell: (news) => {
      for (const listener of listeners) listener(news);
    },
    write: (text) => written.push(text),
    onNews: (listener) => listeners.push(listener),
    reopen: async () => '/var/log/site.log',
    backpressure: noBackpressure,
    isTerminal,
    colour: false,
  };
}

function openOutput({ isTerminal = false, isOne = false } = {}) {
  const stdout = recordingOutput(isTerminal);
  const outputs = { stdout, stderr: isOne ? stdout : recordingOutput(isTerminal) };
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

test('lines that were lost are counted in a warning', () => {
  const { stdout, stderr } = openOutput();
  stdout.tell({ kind: 'caught-up', lostLines: 3 });
  assert.equal(stderr.written.length, 1);
  assert.match(stderr.written[0] ?? '', /"lines-lost".*3 lines were left out of stdout/);
});

test('a full disk is told on the stream that works, and to easyserve logs; its end too, with the count', () => {
  const { stdout, stderr, output } = openOutput();
  const error = Object.assign(new Error('ENOSPC: no space left on device, write'), { code: 'ENOSPC' });
  stdout.tell({ kind: 'failed', error });
  stdout.tell({ kind: 'recovered', lostLines: 1 });
  const [failed, recovered] = stderr.written.map((line) => JSON.parse(line));
  assert.deepEqual(
    [failed.event, failed.level, failed.error, failed.code],
    ['log-failed', 'error', 'no space left on device', 'ENOSPC'],
  );
  assert.deepEqual([recovered.event, recovered.count], ['log-recovered', 1]);
  assert.match(recovered.msg, /stdout can be written again: 1 line was lost/);
  assert.equal(output.recentLines.last(10).length, 2);
});

test('one place for both streams is told of once', async () => {
  const { stdout, output } = openOutput({ isOne: true });
  stdout.tell({ kind: 'caught-up', lostLines: 2 });
  assert.equal(stdout.written.length, 1);
  assert.match(stdout.written[0] ?? '', /left out of the log/);
  await output.reopen();
  assert.equal(stdout.written.length, 2);
  assert.match(stdout.written[1] ?? '', /"log-reopened".*"\/var\/log\/site.log"/);
});

test('a log file that cannot be opened anew is told, and nothing else happens', async () => {
  const { stdout, stderr, output } = openOutput();
  stdout.reopen = () => Promise.reject(new Error("EACCES: permission denied, open '/var/log/site.log'"));
  await output.reopen();
  assert.match(stderr.written[0] ?? '', /"log-not-reopened".*permission denied/);
});

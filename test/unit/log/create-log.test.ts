import assert from 'node:assert/strict';
import { test } from 'node:test';
import { SettingsError } from '../../../src/contracts/errors.js';
import { gatherMs } from '../../../src/log/line-batch.js';
import type { Log } from '../../../src/log/log.js';
import { FakeClock } from '../../support/fake-clock.js';
import { accessRecord, forbidden, hostileTexts, linesOf, openLog, recordsOf } from './written-lines.js';

const isoTime = /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$/;

test('an event is one JSON object with its level as a word', () => {
  const { log, writes } = openLog();
  log.info('ready', 'serves', { url: 'http://[::1]:80/', mode: 'single' });
  const [[stream, text] = ['', '']] = writes;
  assert.equal(stream, 'stdout');
  const { time, ...record } = JSON.parse(text);
  assert.match(time, isoTime);
  assert.deepEqual(record, {
    level: 'info',
    pid: 77,
    event: 'ready',
    url: 'http://[::1]:80/',
    mode: 'single',
    msg: 'serves',
  });
  assert.match(text, /^\{"level":"info","time":"[^"]+","pid":77,"event":"ready",/);
});

test('warnings and errors go to stderr, the rest to stdout, each at once', () => {
  const { log, writes } = openLog({ level: 'debug' });
  log.debug('a', '');
  log.info('b', '');
  log.warn('c', '');
  log.error('d', '');
  assert.deepEqual(
    writes.map(([stream, text]) => [stream, JSON.parse(text).event, JSON.parse(text).level]),
    [
      ['stdout', 'a', 'debug'],
      ['stdout', 'b', 'info'],
      ['stderr', 'c', 'warn'],
      ['stderr', 'd', 'error'],
    ],
  );
});

test('the level holds for the log and its children, also when it changes later', () => {
  const { log, writes } = openLog({ level: 'warn' });
  const child = log.child({ front: 1 });
  const speak = (to: Log) => {
    to.debug('debug', '');
    to.info('info', '');
    to.warn('warn', '');
    to.access(accessRecord);
    log.flush();
    return writes.splice(0).map(([, text]) => JSON.parse(text).event);
  };
  assert.deepEqual(speak(child), ['warn']);
  log.setLevel('debug');
  assert.deepEqual(speak(child), ['debug', 'info', 'warn', 'access']);
  log.setLevel('info');
  assert.deepEqual(speak(log), ['info', 'warn', 'access']);
});

test('an access record has its fields, the duration rounded', () => {
  const { log, writes } = openLog({ fields: { front: 1 } });
  log.child({ generation: 2 }).access(accessRecord);
  log.flush();
  const [{ time, ...record } = {}] = recordsOf(writes);
  assert.match(String(time), isoTime);
  assert.deepEqual(record, {
    level: 'info',
    pid: 77,
    front: 1,
    generation: 2,
    event: 'access',
    ...accessRecord,
    durationMs: 3.5,
  });
});

test('an application line goes to the stream that the application used, whatever the level', () => {
  const { log, writes } = openLog({ level: 'error' });
  log.application('Traceback', { pid: 4711, stream: 'stderr' });
  log.application('hello', { pid: 4711, stream: 'stdout' });
  log.flush();
  assert.deepEqual(
    writes.map(([stream]) => stream),
    ['stderr', 'stdout'],
  );
  const [first] = recordsOf(writes);
  assert.deepEqual(
    { ...first, time: '' },
    {
      level: 'info',
      time: '',
      pid: 77,
      event: 'application',
      stream: 'stderr',
      app: 4711,
      msg: 'Traceback',
    },
  );
});

test('fields: of the child over those of the log, of the record over both, and every name once', () => {
  const { log, writes } = openLog({ fields: { a: 1, b: 1, c: 1 } });
  log.child({ b: 2, c: 2 }).info('x', '', { c: 3, pid: 5 });
  const [[, text] = ['', '']] = writes;
  assert.match(text, /"pid":5,"a":1,"b":2,"c":3/);
  assert.equal(text.match(/"pid"/g)?.length, 1);
});

test('an Error becomes its message with code, hint and detail', () => {
  const { log, writes } = openLog();
  const error = new SettingsError('unknown-setting', 'no such key', { hint: 'try port', detail: 'a\nb' });
  log.error('reload-refused', 'kept', { error });
  log.error('unexpected', 'oh', { error: new TypeError('x is y') });
  log.error('said', 'oh', { error: 'only text' });
  const [first, second, third] = recordsOf(writes);
  assert.deepEqual(
    [first?.error, first?.code, first?.hint, first?.detail],
    ['no such key', 'unknown-setting', 'try port', 'a\nb'],
  );
  assert.equal(second?.error, 'x is y');
  assert.match(String(second?.detail), /TypeError: x is y\n +at /);
  assert.equal(third?.error, 'only text');
});

test('lines of a moment come in one write, in order', () => {
  const clock = new FakeClock();
  const { log, writes } = openLog({ clock });
  for (let status = 200; status < 205; status++) log.access({ ...accessRecord, status });
  log.application('six', { pid: 1, stream: 'stdout' });
  clock.advance(gatherMs - 1);
  assert.deepEqual(writes, []);
  clock.advance(1);
  assert.equal(writes.length, 1);
  assert.deepEqual(
    recordsOf(writes).map((record) => record.status ?? record.msg),
    [200, 201, 202, 203, 204, 'six'],
  );
  log.access(accessRecord);
  clock.advance(gatherMs);
  assert.equal(writes.length, 2);
  assert.equal(clock.pending, 0);
});

test('an event never overtakes the lines before it, and the other stream neither', () => {
  const { log, writes } = openLog();
  log.access({ ...accessRecord, path: '/1' });
  log.error('two', '');
  log.access({ ...accessRecord, path: '/3' });
  log.application('four', { pid: 1, stream: 'stderr' });
  log.application('five', { pid: 1, stream: 'stderr' });
  log.info('six', '');
  assert.deepEqual(
    writes.map(([stream, text]) => [stream, linesOf(text).length]),
    [
      ['stdout', 1],
      ['stderr', 1],
      ['stdout', 1],
      ['stderr', 2],
      ['stdout', 1],
    ],
  );
});

test('flush writes what waits, once', () => {
  const clock = new FakeClock();
  const { log, writes } = openLog({ clock });
  log.access(accessRecord);
  log.flush();
  log.flush();
  clock.advance(gatherMs);
  assert.equal(writes.length, 1);
});

test('a large batch does not wait for its time', () => {
  const { log, writes } = openLog();
  for (let count = 0; count < 10; count++) log.application('x'.repeat(1000), { pid: 1, stream: 'stdout' });
  assert.equal(writes.length, 1);
  log.flush();
  assert.equal(recordsOf(writes).length, 10);
});

test('a writer that throws, or logs by itself, loses and repeats nothing', () => {
  const seen: string[] = [];
  const { log } = openLog({
    write: (text) => {
      seen.push(text);
      if (seen.length === 1) throw new Error('EPIPE');
      if (seen.length === 2) log.access({ ...accessRecord, path: '/by-writer' });
    },
  });
  log.access(accessRecord);
  assert.throws(() => log.flush(), /EPIPE/);
  log.access({ ...accessRecord, path: '/next' });
  log.flush();
  log.flush();
  const paths = seen.map((text) => linesOf(text).map((line) => JSON.parse(line).path));
  assert.deepEqual(paths, [['/a?b=c'], ['/next'], ['/by-writer']]);
});

for (const format of ['json', 'pretty'] as const) {
  test(`${format}: no text from outside can forge or hide a line`, () => {
    for (const text of hostileTexts) {
      const { log, writes } = openLog({ format });
      log.access({ ...accessRecord, method: text, path: text, requestId: text, client: text });
      log.application(text, { pid: 1, stream: 'stdout' });
      log.info('event', text, { field: text, nested: { [text]: [text] }, [text]: 1, hint: text });
      log.flush();
      const lines = linesOf(writes.map(([, written]) => written).join(''));
      assert.equal(lines.length, format === 'json' ? 3 : 4);
      for (const line of lines) assert.doesNotMatch(line, forbidden);
    }
  });
}

test('json: hostile text is read back as it was', () => {
  for (const text of [...hostileTexts, 'tab\t', 'é漢😀', '\ud800']) {
    const { log, writes } = openLog();
    log.access({ ...accessRecord, path: text, client: text });
    log.application(text, { pid: 1, stream: 'stdout' });
    log.info('event', text, { field: text });
    log.flush();
    const [access, application, event] = recordsOf(writes);
    assert.equal(access?.path, text);
    assert.equal(access?.client, text);
    assert.equal(application?.msg, text);
    assert.equal(event?.msg, text);
    assert.equal(event?.field, text);
  }
});

test('json: fields that JSON cannot hold do not throw', () => {
  const { log, writes } = openLog();
  const circle: Record<string, unknown> = { nothing: undefined };
  circle.self = circle;
  log.info('event', '', { circle, big: 10n });
  assert.equal(recordsOf(writes).length, 1);
});

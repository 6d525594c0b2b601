import assert from 'node:assert/strict';
import { EventEmitter } from 'node:events';
import { test } from 'node:test';
import { handleSignals } from '../../../src/supervisor/signals.js';
import { FakeClock } from '../../support/fake-clock.js';

function handle() {
  const source = new EventEmitter();
  const clock = new FakeClock();
  const calls: string[] = [];
  const note = (verb: string) => () => calls.push(verb);
  const verbs = {
    ...{ stop: note('stop'), force: note('force'), reload: note('reload') },
    ...{ reopenLogs: note('reopen'), ignore: (signal: string) => calls.push(`ignore ${signal}`) },
  };
  return { source, clock, calls, ignore: handleSignals(source, verbs, clock) };
}

for (const signal of ['SIGTERM', 'SIGINT', 'SIGQUIT']) {
  test(`${signal} stops, a second one forces`, () => {
    const { source, clock, calls } = handle();
    source.emit(signal);
    clock.advance(1000);
    source.emit(signal);
    assert.deepEqual(calls, ['stop', 'force']);
  });
}

test('a second one of the other kind forces too', () => {
  const { source, clock, calls } = handle();
  source.emit('SIGINT');
  clock.advance(1000);
  source.emit('SIGTERM');
  assert.deepEqual(calls, ['stop', 'force']);
});

test('the echo that npm makes of a signal forces nothing', () => {
  const { source, clock, calls } = handle();
  source.emit('SIGINT');
  source.emit('SIGINT');
  clock.advance(50);
  source.emit('SIGINT');
  assert.deepEqual(calls, ['stop']);
  clock.advance(1);
  source.emit('SIGINT');
  assert.deepEqual(calls, ['stop', 'force']);
});

test('SIGHUP reloads, as often as it comes', () => {
  const { source, calls } = handle();
  source.emit('SIGHUP');
  source.emit('SIGHUP');
  assert.deepEqual(calls, ['reload', 'reload']);
});

test('the handlers are taken away', () => {
  const { source, ignore } = handle();
  ignore();
  assert.deepEqual(source.eventNames(), []);
});

test('SIGUSR1 opens logs anew, SIGUSR2 is only told', () => {
  const { source, calls } = handle();
  source.emit('SIGUSR1');
  source.emit('SIGUSR2');
  assert.deepEqual(calls, ['reopen', 'ignore SIGUSR2']);
});

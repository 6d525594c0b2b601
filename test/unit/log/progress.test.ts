import assert from 'node:assert/strict';
import { test } from 'node:test';
import { createProgress } from '../../../src/log/progress.js';
import { FakeClock } from '../../support/fake-clock.js';

const erase = '\r\u001b[K';

function open(options: { isTerminal?: boolean; columns?: number } = {}) {
  const clock = new FakeClock();
  const writes: string[] = [];
  const progress = createProgress({
    write: (text) => writes.push(text),
    isTerminal: options.isTerminal ?? true,
    clock,
    columns: () => options.columns,
  });
  return { clock, progress, taken: () => writes.splice(0) };
}

test('work of less than a second shows nothing', () => {
  const { clock, progress, taken } = open();
  progress.step('collecting static files');
  clock.advance(999);
  progress.end();
  assert.deepEqual(taken(), []);
  assert.equal(clock.pending, 0);
});

test('longer work shows its step and the time, and leaves nothing behind', () => {
  const { clock, progress, taken } = open();
  progress.step('collecting static files');
  clock.advance(2000);
  assert.deepEqual(taken(), [
    `${erase}collecting static files … 1 s`,
    `${erase}collecting static files … 2 s`,
  ]);
  progress.step('waiting for the application');
  assert.deepEqual(taken(), [`${erase}waiting for the application …`]);
  clock.advance(1000);
  assert.deepEqual(taken(), [`${erase}waiting for the application … 1 s`]);
  progress.end();
  assert.deepEqual(taken(), [erase]);
  clock.advance(5000);
  progress.end();
  assert.deepEqual(taken(), []);
  assert.equal(clock.pending, 0);
});

test('hidden for other output, it comes back with the next second', () => {
  const { clock, progress, taken } = open();
  progress.hide();
  progress.step('draining');
  clock.advance(1000);
  taken();
  progress.hide();
  progress.hide();
  assert.deepEqual(taken(), [erase]);
  clock.advance(1000);
  assert.deepEqual(taken(), [`${erase}draining … 2 s`]);
});

test('it may begin anew', () => {
  const { clock, progress, taken } = open();
  progress.step('a');
  progress.end();
  progress.step('b');
  clock.advance(1000);
  assert.deepEqual(taken(), [`${erase}b … 1 s`]);
});

test('the line is cut before it wraps', () => {
  const { clock, progress, taken } = open({ columns: 10 });
  progress.step('collecting static files');
  clock.advance(1000);
  assert.deepEqual(taken(), [`${erase}collectin`]);
});

test('without a terminal nothing is written and nothing waits', () => {
  const { clock, progress, taken } = open({ isTerminal: false });
  progress.step('a');
  clock.advance(5000);
  progress.hide();
  progress.end();
  assert.deepEqual(taken(), []);
  assert.equal(clock.pending, 0);
});

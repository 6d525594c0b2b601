import assert from 'node:assert/strict';
import { test } from 'node:test';
import { readableLine } from '../../../../src/cli/text/readable-line.js';

/** In local time, as the lines are. */
const time = new Date(2024, 0, 2, 12, 3, 44).toISOString();
const esc = '\u001b';
const terminal = { isTerminal: true, colour: false };
const coloured = { isTerminal: true, colour: true };
const pipe = { isTerminal: false, colour: false };

function json(record: Record<string, unknown>): string {
  return JSON.stringify({ level: 'info', time, pid: 77, ...record });
}

const lines: readonly (readonly [string, string])[] = [
  [
    json({ event: 'reloaded', generation: 2, changes: ['port'], msg: 'generation 2 serves' }),
    '12:03:44  info   reloaded    generation 2 serves  changes=["port"]',
  ],
  [
    json({ event: 'reload-failed', msg: 'refused', code: 'x', detail: 'one\ntwo', hint: 'do this' }),
    '12:03:44  info   reload-failed  refused  code=x\n                 hint: do this\n                 one\n                 two',
  ],
  [
    json({
      ...{ event: 'access', method: 'GET', path: '/a', status: 200, bytes: 12 },
      ...{ durationMs: 3.4, requestId: '4f1a', client: '127.0.0.1' },
    }),
    '12:03:44  200    GET /a  12 B  3.4 ms  127.0.0.1  4f1a',
  ],
  [json({ event: 'application', stream: 'stderr', app: 12, msg: '  x' }), '12:03:44  app    12    x'],
  // Not ours, or not whole.
  ['{"level":"info","ti', '{"level":"info","ti'],
  ['{"level":"info"}', '{"level":"info"}'],
  ['12:03:44  info   ready', '12:03:44  info   ready'],
];

for (const [line, shown] of lines) {
  test(`${line.slice(0, 60)} on a terminal, and in a pipe`, () => {
    assert.equal(readableLine(line, terminal), shown);
    assert.equal(readableLine(line, pipe), line);
  });
}

test('colours are those of the reader', () => {
  const line = `${esc}[2m12:03:44${esc}[0m  info   ready`;
  assert.equal(readableLine(line, terminal), '12:03:44  info   ready');
  assert.equal(readableLine(line, pipe), '12:03:44  info   ready');
  assert.equal(readableLine(line, coloured), line);
  assert.ok(
    readableLine(json({ event: 'ready', msg: 'up' }), coloured).startsWith(`${esc}[2m12:03:44${esc}[0m`),
  );
});

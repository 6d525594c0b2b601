import assert from 'node:assert/strict';
import { test } from 'node:test';
import { JournalPriorities } from '../../../src/log/journal-priorities.js';

test('each line for the journal has the priority of its level, in both formats', () => {
  const lines = {
    '{"level":"error","event":"reload-failed","msg":"x"}': 3,
    '{"level":"warn","time":"…"}': 4,
    '{"level":"info","event":"application","msg":"{\\"level\\":\\"error\\""}': 6,
    '{"level":"debug"}': 7,
    '12:03:44  error  reload-failed  refused': 3,
    '              hint: what to do': 3,
    '12:03:44  warn   other': 4,
    '12:03:44  app    4711  error here': 6,
    'easyserve: The reload was refused.': 3,
    '  fix: repair it': 3,
    reloaded: 6,
  };
  const priorities = new JournalPriorities();
  const text = Object.keys(lines).map((line) => `${line}\n`);
  const expected = Object.entries(lines).map(([line, priority]) => `<${priority}>${line}\n`);
  assert.equal(priorities.prefix(text.slice(0, 3).join('')), expected.slice(0, 3).join(''));
  assert.deepEqual(
    text.slice(3).map((line) => priorities.prefix(line)),
    expected.slice(3),
  );
});

test('an empty line stays one', () => {
  assert.equal(new JournalPriorities().prefix('\n'), '\n');
});

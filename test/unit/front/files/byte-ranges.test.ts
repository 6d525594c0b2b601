import assert from 'node:assert/strict';
import { test } from 'node:test';
import { parseByteRange } from '../../../../src/front/files/byte-ranges.js';

const size = 10;
const cases: [header: string, expected: [start: number, end: number] | 'unsatisfiable' | 'whole'][] = [
  ['bytes=0-0', [0, 0]],
  ['bytes=0-', [0, 9]],
  ['bytes=2-4', [2, 4]],
  ['bytes=9-9', [9, 9]],
  ['bytes=5-100', [5, 9]],
  ['bytes=5-99999999999999999999999', [5, 9]],
  ['bytes=-3', [7, 9]],
  ['bytes=-10', [0, 9]],
  ['bytes=-11', [0, 9]],
  ['BYTES = 1-2', [1, 2]],
  ['bytes=10-', 'unsatisfiable'],
  ['bytes=10-12', 'unsatisfiable'],
  ['bytes=99999999999999999999999-', 'unsatisfiable'],
  ['bytes=-0', 'unsatisfiable'],
  ['bytes=4-2', 'whole'],
  ['bytes=-', 'whole'],
  ['bytes=', 'whole'],
  ['bytes=a-b', 'whole'],
  ['bytes=1.5-2', 'whole'],
  ['bytes=--1', 'whole'],
  ['bytes=0-1,3-4', 'whole'],
  ['bytes=0-1, bytes=3-4', 'whole'],
  ['lines=0-1', 'whole'],
  ['', 'whole'],
];

for (const [header, expected] of cases) {
  test(`Range ${JSON.stringify(header)} of ${size} bytes is ${JSON.stringify(expected)}`, () => {
    const range = typeof expected === 'string' ? expected : { start: expected[0], end: expected[1] };
    assert.deepEqual(parseByteRange(header, size), range);
  });
}

test('an empty file has no part, but all of it can be asked for', () => {
  for (const header of ['bytes=0-0', 'bytes=-1', 'bytes=1-']) {
    assert.equal(parseByteRange(header, 0), 'unsatisfiable');
  }
  assert.equal(parseByteRange('bytes=0-', 0), 'whole');
});

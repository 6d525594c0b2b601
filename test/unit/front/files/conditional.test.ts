import assert from 'node:assert/strict';
import type { IncomingHttpHeaders } from 'node:http';
import { test } from 'node:test';
import { entityTag, evaluatePreconditions, isRangeFresh } from '../../../../src/front/files/conditional.js';

const etag = '"abc"';
const modifiedMs = Date.parse('Wed, 01 May 2024 10:00:00 GMT');
const sameTime = 'Wed, 01 May 2024 10:00:00 GMT';
const before = 'Wed, 01 May 2024 09:59:59 GMT';
const after = 'Wed, 01 May 2024 10:00:01 GMT';

const preconditions: [headers: IncomingHttpHeaders, expected: 'proceed' | 'not-modified' | 'failed'][] = [
  [{}, 'proceed'],
  [{ 'if-none-match': '"abc"' }, 'not-modified'],
  [{ 'if-none-match': 'W/"abc"' }, 'not-modified'],
  [{ 'if-none-match': '*' }, 'not-modified'],
  [{ 'if-none-match': '"x", W/"abc", "y"' }, 'not-modified'],
  [{ 'if-none-match': '"x","abc"' }, 'not-modified'],
  [{ 'if-none-match': '"a,b", "abc"' }, 'not-modified'],
  [{ 'if-none-match': '"ab"' }, 'proceed'],
  [{ 'if-none-match': 'abc' }, 'proceed'],
  [{ 'if-none-match': '"ABC"' }, 'proceed'],
  [{ 'if-none-match': '"x"', 'if-modified-since': sameTime }, 'proceed'],
  [{ 'if-modified-since': sameTime }, 'not-modified'],
  [{ 'if-modified-since': after }, 'not-modified'],
  [{ 'if-modified-since': before }, 'proceed'],
  [{ 'if-modified-since': 'yesterday' }, 'proceed'],
  [{ 'if-match': '"abc"' }, 'proceed'],
  [{ 'if-match': '*' }, 'proceed'],
  [{ 'if-match': 'W/"abc"' }, 'failed'],
  [{ 'if-match': '"x"' }, 'failed'],
  [{ 'if-match': '"x"', 'if-none-match': '"abc"' }, 'failed'],
  [{ 'if-match': '"abc"', 'if-unmodified-since': before }, 'proceed'],
  [{ 'if-unmodified-since': sameTime }, 'proceed'],
  [{ 'if-unmodified-since': before }, 'failed'],
  [{ 'if-unmodified-since': 'yesterday' }, 'proceed'],
];

for (const [headers, expected] of preconditions) {
  test(`${JSON.stringify(headers)}: ${expected}`, () => {
    assert.equal(evaluatePreconditions(headers, etag, modifiedMs), expected);
  });
}

const ifRanges: [ifRange: string | undefined, expected: boolean][] = [
  [undefined, true],
  ['"abc"', true],
  ['W/"abc"', false],
  ['"x"', false],
  [sameTime, true],
  [before, false],
  [after, false],
  ['"Wed, 01 May 2024 10:00:00 GMT"', false],
];

for (const [ifRange, expected] of ifRanges) {
  test(`If-Range ${ifRange}: ${expected ? 'the range' : 'the whole'}`, () => {
    const headers = ifRange === undefined ? {} : { 'if-range': ifRange };
    assert.equal(isRangeFresh(headers, etag, modifiedMs), expected);
  });
}

test('tags differ by size, by time within a second, and by encoding', () => {
  const tags = [
    entityTag({ size: 10, mtimeMs: 1000 }),
    entityTag({ size: 11, mtimeMs: 1000 }),
    entityTag({ size: 10, mtimeMs: 1000.25 }),
    entityTag({ size: 10, mtimeMs: 1000 }, 'br'),
    entityTag({ size: 10, mtimeMs: 1000 }, 'gzip'),
  ];
  assert.equal(new Set(tags).size, tags.length);
  for (const tag of tags) assert.match(tag, /^"[\w-]+"$/);
});

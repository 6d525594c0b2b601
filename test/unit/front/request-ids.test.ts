import assert from 'node:assert/strict';
import { test } from 'node:test';
import { RequestIds } from '../../../src/front/request-ids.js';

test('every id is new, and no two fronts share one', () => {
  const [one, other] = [new RequestIds(), new RequestIds()];
  const ids = Array.from({ length: 1000 }, () => [one.next(), other.next()]).flat();
  assert.equal(new Set(ids).size, 2000);
  for (const id of ids) assert.match(id, /^[0-9a-f]{10}-[0-9a-z]+$/);
});

test('what a trusted proxy calls it is taken over where it is harmless', () => {
  const ids = new RequestIds();
  assert.equal(ids.next('Ab-1_2.3'), 'Ab-1_2.3');
  for (const given of ['', 'a b', 'a\u001b[0m', 'a"', 'ä', 'x'.repeat(65)]) {
    assert.notEqual(ids.next(given), given);
  }
  assert.match(ids.next(['a', 'b']), /^[0-9a-f]{10}-/);
});

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { RecentLines } from '../../../src/log/recent-lines.js';

test('lines are found again however the text was cut', () => {
  const text = 'one\ntwo\n\nthree é\r\nfour';
  for (let size = 1; size <= text.length; size++) {
    const recent = new RecentLines();
    for (let at = 0; at < text.length; at += size) recent.push(text.slice(at, at + size));
    assert.deepEqual(recent.last(10), ['one', 'two', '', 'three é\r']);
    recent.push('\n');
    assert.deepEqual(recent.last(1), ['four']);
  }
});

test('last gives as many as there are, the oldest first', () => {
  const recent = new RecentLines({ maxLines: 3 });
  assert.deepEqual(recent.last(5), []);
  recent.push('1\n2\n3\n4\n5\n');
  assert.deepEqual(recent.last(100), ['3', '4', '5']);
  assert.deepEqual(recent.last(2), ['4', '5']);
  assert.deepEqual(recent.last(0), []);
  assert.deepEqual(recent.last(-1), []);
});

test('bytes bound it too, counted in UTF-8: the oldest pieces go, but the last one always stays', () => {
  const recent = new RecentLines({ maxLines: 100, maxBytes: 13 });
  for (const text of ['aaaa\n', 'bbbb\n', 'cc\n']) recent.push(text);
  assert.deepEqual(recent.last(9), ['aaaa', 'bbbb', 'cc']);
  recent.push('é\n');
  assert.deepEqual(recent.last(9), ['bbbb', 'cc', 'é']);
  recent.push('é\n');
  assert.deepEqual(recent.last(9), ['cc', 'é', 'é']);
  recent.push(`${'x'.repeat(50)}\n`);
  assert.deepEqual(recent.last(9), ['x'.repeat(50)]);
  recent.push('y\n');
  assert.deepEqual(recent.last(9), ['y']);
});

test('what is left of a line whose beginning is gone is not shown', () => {
  const recent = new RecentLines({ maxBytes: 8 });
  for (const text of ['one\ntw', 'o\nthree', '\n']) recent.push(text);
  assert.deepEqual(recent.last(9), ['three']);
});

test('a long life leaves the last lines, in order', () => {
  const recent = new RecentLines({ maxBytes: 300 });
  for (let number = 0; number < 1000; number++) recent.push(`${number}\n`);
  assert.deepEqual(recent.last(3), ['997', '998', '999']);
  assert.equal(recent.last(1000)[0], '925');
});

test('a line without end is kept in parts', () => {
  const recent = new RecentLines({ maxLineLength: 4 });
  recent.push('abc');
  recent.push('defghijk');
  assert.deepEqual(recent.last(9), ['abcd', 'efgh']);
  recent.push('\nabcd\n');
  assert.deepEqual(recent.last(9), ['abcd', 'efgh', 'ijk', 'abcd']);
});

test('followers get each line from then on, until they end it', () => {
  const recent = new RecentLines();
  const seen: string[] = [];
  recent.push('before\nhal');
  const end = recent.follow((line) => seen.push(line));
  const endOther = recent.follow((line) => {
    seen.push(`other ${line}`);
    endOther();
  });
  recent.push('f\nnext\n');
  end();
  recent.push('after\n');
  assert.deepEqual(seen, ['half', 'other half', 'next']);
});

test('the same function may follow twice', () => {
  const recent = new RecentLines();
  const seen: string[] = [];
  const listener = (line: string) => seen.push(line);
  const end = recent.follow(listener);
  recent.follow(listener);
  end();
  recent.push('a\n');
  assert.deepEqual(seen, ['a']);
});

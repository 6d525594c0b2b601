import assert from 'node:assert/strict';
import { test } from 'node:test';
import { wrapText } from '../../../src/log/wrap-text.js';

const cases: readonly (readonly [string, number, number | undefined, string])[] = [
  ['mode  one two three', 6, 80, 'mode  one two three'],
  ['mode  one two three', 6, 19, 'mode  one two three'],
  ['mode  one two three', 6, 18, 'mode  one two\n      three'],
  ['mode  one two three', 6, 13, 'mode  one two\n      three'],
  ['mode  one two three', 6, 10, 'mode  one\n      two\n      three'],
  ['path  /a/very/long/path stays whole', 6, 12, 'path  /a/very/long/path\n      stays\n      whole'],
  ['path  /a/very/long/path', 6, 12, 'path  /a/very/long/path'],
  ['mode  one two three', 6, undefined, 'mode  one two three'],
];

for (const [line, indent, columns, wrapped] of cases) {
  test(`${JSON.stringify(line)} in ${columns} columns`, () => {
    assert.equal(wrapText(line, indent, columns), wrapped);
  });
}

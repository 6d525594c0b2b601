import assert from 'node:assert/strict';
import { test } from 'node:test';
import { LineReader } from '../../../src/control/line-reader.js';

test('lines come whole, however the bytes are cut', () => {
  const bytes = Buffer.from('{"a":"é"}\n\n€uro\nrest');
  for (let cut = 0; cut <= bytes.length; cut += 1) {
    const reader = new LineReader(100);
    const lines = [...reader.push(bytes.subarray(0, cut)), ...reader.push(bytes.subarray(cut))];
    assert.deepEqual(lines, ['{"a":"é"}', '', '€uro'], `cut at ${cut}`);
  }
});

test('a line may have as many bytes as allowed, and not one more', () => {
  assert.deepEqual(new LineReader(4).push(Buffer.from('1234\n')), ['1234']);
  assert.throws(() => new LineReader(4).push(Buffer.from('12345\n')), RangeError);
  const reader = new LineReader(4);
  reader.push(Buffer.from('123'));
  assert.throws(() => reader.push(Buffer.from('45')), RangeError);
});

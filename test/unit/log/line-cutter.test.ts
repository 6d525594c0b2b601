import assert from 'node:assert/strict';
import { test } from 'node:test';
import { LineCutter } from '../../../src/log/line-cutter.js';

test('lines come whole, however the bytes are cut', () => {
  const bytes = Buffer.from('{"a":"é"}\n\n€uro\nrest');
  for (let cut = 0; cut <= bytes.length; cut += 1) {
    const cutter = new LineCutter();
    const lines = [...cutter.push(bytes.subarray(0, cut)), ...cutter.push(bytes.subarray(cut))];
    assert.deepEqual(lines, ['{"a":"é"}', '', '€uro'], `cut at ${cut}`);
  }
});

const makeStrict = () => new LineCutter({ maxLineLength: 4, whenLonger: 'throw' });

test('a line may have as many characters as allowed, and not one more', () => {
  assert.deepEqual(makeStrict().push(Buffer.from('1234\n')), ['1234']);
  assert.throws(() => makeStrict().push(Buffer.from('12345\n')), RangeError);
  const cutter = makeStrict();
  cutter.push(Buffer.from('123'));
  assert.throws(() => cutter.push(Buffer.from('45')), RangeError);
});

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { paint } from '../../../src/log/paint.js';
import {
  indentedJson,
  jsonText,
  visibleColoured,
  visibleLines,
  visibleText,
} from '../../../src/log/visible-text.js';

/** Text -> as a person sees it. */
const commands: readonly (readonly [string, string])[] = [
  ['a\u001b[2Jb', 'a\\x1b[2Jb'],
  ['\u001b]0;title\u0007', '\\x1b]0;title\\x07'],
  ['\u001b]8;;http://x\u001b\\link', '\\x1b]8;;http://x\\x1b\\link'],
  ['\u009b31mred', '\\x9b31mred'],
  ['\u009d0;title\u009c', '\\x9d0;title\\x9c'],
  ['\u001bPq\u001b\\', '\\x1bPq\\x1b\\'],
  ['one\rtwo', 'one\\rtwo'],
  ['back\bspace\u007f', 'back\\x08space\\x7f'],
  ['\u202etxt.exe', '\\u202etxt.exe'],
  ['\u2066a\u2069\u200f', '\\u2066a\\u2069\\u200f'],
  ['a\u2028b\u0085c', 'a\\u2028b\\x85c'],
  ['pay\u200bpal\ufeff\u2060', 'pay\\u200bpal\\ufeff\\u2060'],
];

for (const [text, shown] of commands) {
  test(`${JSON.stringify(text)} is shown, and not obeyed`, () => {
    assert.equal(visibleText(text), shown);
    assert.equal(visibleLines(text), shown);
    assert.equal(visibleColoured(text), shown);
    assert.equal(JSON.parse(jsonText(text)), text);
    assert.doesNotMatch(jsonText(text) + indentedJson({ text }), /[^\n -~]/);
  });
}

test('other scripts, emoji and tabs stay as they are', () => {
  const text = 'Grüße\t日本語 مرحبا 👩‍🚀';
  assert.equal(visibleText(text), text);
  assert.equal(visibleLines(text), text);
});

test('a line end ends a line where lines are written, and nowhere else', () => {
  assert.equal(visibleText('a\nb'), 'a\\nb');
  assert.equal(visibleColoured('a\nb'), 'a\\nb');
  assert.equal(visibleLines('a\nb\n'), 'a\nb\n');
});

test("easyserve's own colours and its line of progress reach the terminal, those of others do not", () => {
  const own = `${paint(true, 'red', 'easyserve:')} no\n\r\u001b[K`;
  assert.equal(visibleLines(own), own);
  assert.equal(visibleText('\u001b[31mred\u001b[0m'), 'red');
  assert.equal(visibleLines('\u001b[8mhidden \u001b[38;5;196mred'), '\\x1b[8mhidden \\x1b[38;5;196mred');
});

test('a coloured line ends its colours', () => {
  assert.equal(visibleColoured('\u001b[31mred \u001b[1A'), '\u001b[31mred \\x1b[1A\u001b[0m');
});

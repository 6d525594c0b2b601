import assert from 'node:assert/strict';
import { test } from 'node:test';
import { mergeVary } from '../../../../src/front/encoding/vary.js';

const cases: [current: string | undefined, expected: string][] = [
  [undefined, 'Accept-Encoding'],
  ['', 'Accept-Encoding'],
  ['Cookie', 'Cookie, Accept-Encoding'],
  ['Cookie, Accept-Language', 'Cookie, Accept-Language, Accept-Encoding'],
  ['accept-encoding', 'accept-encoding'],
  ['Cookie,ACCEPT-ENCODING', 'Cookie,ACCEPT-ENCODING'],
  ['*', '*'],
];

for (const [current, expected] of cases) {
  test(`Vary ${JSON.stringify(current)} becomes ${JSON.stringify(expected)}`, () => {
    assert.equal(mergeVary(current, 'Accept-Encoding'), expected);
  });
}

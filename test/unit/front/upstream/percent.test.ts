import assert from 'node:assert/strict';
import { test } from 'node:test';
import { decodeToLatin1 } from '../../../../src/front/upstream/percent.js';

const cases: [path: string, decoded: string][] = [
  ['/', '/'],
  ['/a+b', '/a+b'],
  ['/a%20b%2Fc', '/a b/c'],
  ['/%C3%A4', '/\u00c3\u00a4'],
  ['/%ff', '/\u00ff'],
  ['/%00', '/\0'],
  ['/%2520', '/%20'],
  ['/100%', '/100%'],
  ['/%z1%1', '/%z1%1'],
  ['/%%41', '/%A'],
];
for (const [path, decoded] of cases) {
  test(`${path} is ${JSON.stringify(decoded)}`, () => assert.equal(decodeToLatin1(path), decoded));
}

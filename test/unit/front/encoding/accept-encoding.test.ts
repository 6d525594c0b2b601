import assert from 'node:assert/strict';
import { test } from 'node:test';
import { chooseEncoding } from '../../../../src/front/encoding/accept-encoding.js';

const offered = ['br', 'zstd', 'gzip'] as const;
const cases: [header: string | undefined, expected: string][] = [
  [undefined, 'identity'],
  ['', 'identity'],
  ['gzip', 'gzip'],
  ['GZIP', 'gzip'],
  ['x-gzip', 'gzip'],
  ['gzip, deflate, br, zstd', 'br'],
  ['gzip, zstd', 'zstd'],
  ['deflate', 'identity'],
  ['gzip;q=1.0, br;q=0.5', 'gzip'],
  ['gzip;q=0.5, br;q=0.50', 'br'],
  ['br;q=0, gzip', 'gzip'],
  ['br;q=0.000, gzip;q=0.001', 'gzip'],
  ['*', 'br'],
  ['*;q=0.1, gzip;q=0.2', 'gzip'],
  ['gzip;q=0, *', 'br'],
  ['*;q=0', 'identity'],
  ['identity', 'identity'],
  ['identity;q=0', 'identity'],
  ['identity;q=0, gzip;q=0.1', 'gzip'],
  ['identity, gzip;q=0.5', 'identity'],
  ['identity;q=0.5, gzip', 'gzip'],
  ['gzip ; q=0.3 , br; Q = 0.2', 'gzip'],
  ['gzip;q=nonsense', 'identity'],
  ['gzip;q=2', 'identity'],
  ['gzip;q=-1, br;q=0.1', 'br'],
  [',,gzip,,', 'gzip'],
  ['brotli, gzippy', 'identity'],
];

for (const [header, expected] of cases) {
  test(`Accept-Encoding ${JSON.stringify(header)} takes ${expected}`, () => {
    assert.equal(chooseEncoding(header, offered), expected);
  });
}

test('the order of the offer decides between equals', () => {
  assert.equal(chooseEncoding('br, gzip', ['gzip', 'br']), 'gzip');
});

test('an empty offer is the identity', () => {
  assert.equal(chooseEncoding('*', []), 'identity');
});

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { TrustedProxies } from '../../../src/front/client-facts.js';

const cases: [blocks: string[], address: string, isTrusted: boolean][] = [
  [[], '127.0.0.1', false],
  [['127.0.0.1'], '127.0.0.1', true],
  [['127.0.0.1'], '127.0.0.2', false],
  [['10.0.0.0/8'], '10.255.0.1', true],
  [['10.0.0.0/8'], '11.0.0.1', false],
  [['10.0.0.0/8', '::1'], '::1', true],
  [['2001:db8::/32'], '2001:db8:1::7', true],
  [['2001:db8::/32'], '2001:db9::7', false],
  [['0.0.0.0/0'], '203.0.113.9', true],
  [['0.0.0.0/0'], '2001:db8::1', false],
  [['::/0'], 'fe80::1', true],
  [['127.0.0.1'], '', false],
  [['127.0.0.1'], 'unknown', false],
  [['127.0.0.1'], '127.0.0.1:80', false],
];
for (const [blocks, address, isTrusted] of cases) {
  test(`${JSON.stringify(address)} of [${blocks}]`, () => {
    assert.equal(new TrustedProxies(blocks).has(address), isTrusted);
  });
}

test('a link-local address with its interface', () => {
  assert.equal(new TrustedProxies(['10.0.0.0/8']).has('fe80::1%lo'), false);
  assert.equal(new TrustedProxies(['10.0.0.0/8']).has('fe80::1%nowhere'), false);
});

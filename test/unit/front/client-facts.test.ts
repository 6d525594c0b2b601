import assert from 'node:assert/strict';
import { test } from 'node:test';
import { ProxyTrust, TrustedProxies } from '../../../src/front/client-facts.js';
import type { ClientRequest } from '../../../src/front/client-message.js';

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

/** By the lists of two headers, the scheme behind proxies of 127.0.0.0/8. */
const schemes: [forwardedFor: string, proto: string, scheme: string][] = [
  ['192.0.2.7', 'https', 'https'],
  ['192.0.2.7', 'https, http', 'http'],
  ['192.0.2.7, 127.0.0.2', 'https,http', 'https'],
  ['192.0.2.7, 127.0.0.2', 'http,https', 'http'],
  ['192.0.2.7, 127.0.0.2', 'https', 'https'],
  ['192.0.2.7, 127.0.0.2', 'https, http, http', 'http'],
  ['192.0.2.7, 127.0.0.2, 127.0.0.3', 'https, http, http', 'https'],
  ['6.6.6.6, 192.0.2.7', 'https, http', 'http'],
  ['6.6.6.6, 192.0.2.7, 127.0.0.2', 'http, https, http', 'https'],
  ['127.0.0.4, 127.0.0.5', 'https, http', 'https'],
  ['192.0.2.7, unknown, 127.0.0.2', 'https, https, http', 'http'],
  ['', 'https, http', 'http'],
  ['192.0.2.7', 'HTTPS', 'https'],
  ['192.0.2.7', 'wss', 'https'],
  ['192.0.2.7', 'gopher', 'http'],
  ['192.0.2.7', '', 'http'],
];
for (const [forwardedFor, proto, expected] of schemes) {
  test(`X-Forwarded-Proto ${proto} with X-Forwarded-For ${forwardedFor}`, () => {
    const proxyHeaders = ['X-Forwarded-For', 'X-Forwarded-Proto'];
    const trust = new ProxyTrust({ trustedProxies: ['127.0.0.0/8'], proxyHeaders });
    const socket = { remoteAddress: '127.0.0.1', remotePort: 1 };
    const headers = { 'x-forwarded-for': forwardedFor, 'x-forwarded-proto': proto };
    assert.equal(trust.read({ socket, headers } as unknown as ClientRequest, 'http').scheme, expected);
  });
}

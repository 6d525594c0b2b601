import assert from 'node:assert/strict';
import { isIP } from 'node:net';
import fc from 'fast-check';
import { ProxyTrust } from '../../src/front/client-facts.js';
import type { ClientRequest } from '../../src/front/client-message.js';
import { fieldValue, textOf } from '../support/arbitraries.js';
import { forAll } from '../support/for-all.js';

const trust = new ProxyTrust({
  trustedProxies: ['10.0.0.0/8', 'fd00::/8'],
  proxyHeaders: ['X-Forwarded-For', 'X-Forwarded-Proto', 'X-Forwarded-Host'],
});

const forged = fc.oneof(
  fieldValue,
  textOf('0123456789.:[], f', ['10.0.0.1', '192.0.2.9', 'unknown', '::ffff:192.0.2.8', '[2001:db8::9]:1']),
);

const addressHeaders = ['x-forwarded-for', 'x-forwarded-proto', 'x-forwarded-host', 'x-real-ip', 'forwarded'];

function factsOf(peer: string, headers: Readonly<Record<string, string>>) {
  const socket = { remoteAddress: peer, remotePort: 4711 };
  const rawHeaders = Object.entries(headers).flat();
  return trust.read({ socket, headers, rawHeaders } as unknown as ClientRequest, 'http');
}

forAll('a peer that is not trusted is the client, whatever it says', forged, (value) => {
  const headers = Object.fromEntries(addressHeaders.map((name) => [name, value]));
  const { address, scheme, host, isPeerTrusted } = factsOf('192.0.2.1', { ...headers, host: 'example.com' });
  assert.deepEqual(
    { address, scheme, host, isPeerTrusted },
    {
      address: '192.0.2.1',
      scheme: 'http',
      host: 'example.com',
      isPeerTrusted: false,
    },
  );
});

forAll('what a client writes before the proxy appends makes it nobody else', forged, (value) => {
  for (const proxies of ['', ', 10.0.0.2', ', 10.0.0.2, fd00::1']) {
    const { address } = factsOf('10.0.0.1', { 'x-forwarded-for': `${value}, 198.51.100.7${proxies}` });
    assert.equal(address, '198.51.100.7');
  }
});

forAll('what a client writes before the proxies append makes it no other scheme', forged, (value) => {
  const { scheme } = factsOf('10.0.0.1', {
    'x-forwarded-for': `${value}, 198.51.100.7, 10.0.0.2`,
    'x-forwarded-proto': `${value}, https, http`,
  });
  assert.equal(scheme, 'https');
});

forAll("a trusted proxy's words make an address and a scheme, or are not believed", forged, (value) => {
  const headers = Object.fromEntries(addressHeaders.map((name) => [name, value]));
  const { address, scheme } = factsOf('10.0.0.1', headers);
  assert.notEqual(isIP(address), 0);
  assert.ok(scheme === 'http' || scheme === 'https');
});

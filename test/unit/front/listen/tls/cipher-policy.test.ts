import assert from 'node:assert/strict';
import { once } from 'node:events';
import { type TestContext, test } from 'node:test';
import { connect, createServer } from 'node:tls';
import type { CertificateMaterial } from '../../../../../src/contracts/tls-material.js';
import { handshakeByOpenssl } from '../../../../support/openssl.js';
import { listenFor, sayHi, serveTls } from '../../../../support/serve-tls.js';
import { makeCertificate, makeMaterial, makeRsaCertificate } from '../../../../support/tls-material.js';

/** Everything that the system's openssl can speak, without the security level that keeps it from old things. */
const everything = 'ALL:COMPLEMENTOFALL:@SECLEVEL=0';
const strong = [
  'ECDHE-ECDSA-AES128-GCM-SHA256',
  'ECDHE-ECDSA-AES256-GCM-SHA384',
  'ECDHE-ECDSA-CHACHA20-POLY1305',
  'ECDHE-RSA-AES128-GCM-SHA256',
  'ECDHE-RSA-AES256-GCM-SHA384',
  'ECDHE-RSA-CHACHA20-POLY1305',
];
const withoutStrong = [everything, ...strong.map((cipher) => `!${cipher}`)].join(':');

/** Weak ciphers are of RSA for the most part, so that a server with ECDSA alone would prove little. */
async function makeBoth(t: TestContext): Promise<readonly CertificateMaterial[]> {
  return [await makeCertificate(['ecdsa.test']), await makeRsaCertificate(t, 'rsa.test')];
}

/** What was agreed on with each kind of certificate, like `TLSv1.2 AES128-SHA`; undefined where nothing was. */
async function agreeWithBoth(port: number, args: readonly string[]): Promise<(string | undefined)[]> {
  return await Promise.all(
    ['ecdsa.test', 'rsa.test'].map(async (name) => {
      const { output } = await handshakeByOpenssl(port, ['-brief', '-servername', name, ...args]);
      const [, version] = /^Protocol version: (.*)$/m.exec(output) ?? [];
      const [, cipher] = /^Ciphersuite: (.*)$/m.exec(output) ?? [];
      return version && `${version} ${cipher}`;
    }),
  );
}

/** A server that takes everything: shows that the client really offers what the other one refuses. */
function serveCarelessly(t: TestContext, certificates: readonly CertificateMaterial[]): Promise<number> {
  const server = createServer(
    {
      cert: certificates.map(({ certificatePem }) => certificatePem),
      key: certificates.map(({ keyPem }) => keyPem),
      minVersion: 'TLSv1',
      ciphers: everything,
    },
    sayHi,
  );
  return listenFor(t, server);
}

test('TLS 1.0 and 1.1 are refused', async (t) => {
  const certificates = await makeBoth(t);
  const careful = await serveTls(t, makeMaterial(certificates));
  const careless = await serveCarelessly(t, certificates);
  for (const [flag, version] of [
    ['-tls1', 'TLSv1'],
    ['-tls1_1', 'TLSv1.1'],
  ] as const) {
    const asked = [flag, '-cipher', everything];
    const agreed = await agreeWithBoth(careless, asked);
    assert.ok(
      agreed.every((each) => each?.startsWith(`${version} `)),
      `the client speaks ${version}: ${agreed}`,
    );
    assert.deepEqual(await agreeWithBoth(careful.port, asked), [undefined, undefined]);
  }
});

test('of all ciphers of TLS 1.2 none is accepted but the strong ones', async (t) => {
  const certificates = await makeBoth(t);
  const careful = await serveTls(t, makeMaterial(certificates));
  const careless = await serveCarelessly(t, certificates);
  const weak = ['-tls1_2', '-cipher', withoutStrong];
  assert.ok((await agreeWithBoth(careless, weak)).every((each) => each?.startsWith('TLSv1.2 ')));
  assert.deepEqual(await agreeWithBoth(careful.port, weak), [undefined, undefined]);
  for (const cipher of strong) {
    const agreed = await agreeWithBoth(careful.port, ['-tls1_2', '-cipher', cipher]);
    const isEcdsa = cipher.includes('ECDSA');
    assert.deepEqual(
      agreed,
      [isEcdsa, !isEcdsa].map((fits) => (fits ? `TLSv1.2 ${cipher}` : undefined)),
    );
  }
});

test('TLS 1.3 takes its three usual ciphers, and not the short tags of CCM', async (t) => {
  const { port } = await serveTls(t, makeMaterial(await makeBoth(t)));
  for (const cipher of ['TLS_AES_128_GCM_SHA256', 'TLS_AES_256_GCM_SHA384', 'TLS_CHACHA20_POLY1305_SHA256']) {
    const agreed = await agreeWithBoth(port, ['-tls1_3', '-ciphersuites', cipher]);
    assert.deepEqual(agreed, [`TLSv1.3 ${cipher}`, `TLSv1.3 ${cipher}`]);
  }
  const asked = ['-tls1_3', '-ciphersuites', 'TLS_AES_128_CCM_8_SHA256'];
  assert.deepEqual(await agreeWithBoth(port, asked), [undefined, undefined]);
});

test('renegotiation is refused', async (t) => {
  const { port } = await serveTls(t, makeMaterial([await makeCertificate(['site.test'])]), {
    onConnection: (socket) => socket.on('error', () => {}).resume(),
  });
  const client = connect({ port, host: '127.0.0.1', maxVersion: 'TLSv1.2', rejectUnauthorized: false });
  await once(client, 'secureConnect');
  const failed = once(client, 'error');
  client.renegotiate({}, () => {});
  const [error] = await failed;
  client.destroy();
  assert.equal(error.code, 'ERR_SSL_NO_RENEGOTIATION');
});

test('a ticket is good for two hours', async (t) => {
  const { port } = await serveTls(t, makeMaterial([await makeCertificate(['site.test'])]));
  // In TLS 1.2 it is part of the handshake; in TLS 1.3 it comes later, and openssl may have left by then.
  const { output } = await handshakeByOpenssl(port, ['-tls1_2']);
  assert.match(output, /ticket lifetime hint: 7200 \(seconds\)/);
});

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { makeTempDir } from '../support/copy-fixture.js';
import { integrationTimeoutMs } from '../support/for-each-mode.js';
import { handshakeByOpenssl } from '../support/openssl.js';
import { securePortOf } from '../support/secure-client.js';
import { startEasyserve } from '../support/start-easyserve.js';

const everything = 'ALL:COMPLEMENTOFALL:@SECLEVEL=0';
const strong = ['AES128-GCM-SHA256', 'AES256-GCM-SHA384', 'CHACHA20-POLY1305'].map(
  (end) => `ECDHE-ECDSA-${end}`,
);

// Every kind of certificate and cipher: test/unit/front/listen/tls/cipher-policy.test.ts. This is the program as it is started.
test('a scan: TLS 1.2 and 1.3 with strong ciphers, and nothing else', {
  timeout: integrationTimeoutMs,
}, async (t) => {
  const site = await startEasyserve(t, {
    mode: 'single',
    fixture: 'wsgi-hello',
    settings: { https: true, httpsPort: 0, acmeFolder: makeTempDir(t) },
  });
  const port = await securePortOf(site);
  const agree = async (...args: readonly string[]): Promise<string | undefined> => {
    const { output } = await handshakeByOpenssl(port, ['-brief', '-servername', 'localhost', ...args]);
    return /^Protocol version: (.*)$/m.exec(output)?.[1];
  };
  for (const old of ['-tls1', '-tls1_1'])
    assert.equal(await agree(old, '-cipher', everything), undefined, old);
  const weak = [everything, ...strong.map((cipher) => `!${cipher}`)].join(':');
  assert.equal(await agree('-tls1_2', '-cipher', weak), undefined);
  for (const cipher of strong) assert.equal(await agree('-tls1_2', '-cipher', cipher), 'TLSv1.2', cipher);
  assert.equal(await agree('-tls1_3'), 'TLSv1.3');
});

import assert from 'node:assert/strict';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { type TestContext, test } from 'node:test';
import type { Settings } from '../../../src/settings/settings.js';
import type { SigningPair } from '../../../src/tls/sign-certificate.js';
import { djangoSubject, namesFound, soundMachine } from '../../support/check-subject.js';
import { makeTempDir } from '../../support/copy-fixture.js';
import { makeCertificate } from '../../support/tls-material.js';

const dayMs = 86_400_000;

/** Looks at a site with such a certificate, made for days from `nowMs` of the machine. */
async function look(
  t: TestContext,
  names: readonly string[],
  {
    days = 90,
    keyOf = names,
    settings = {} as Partial<Settings>,
    issuer = undefined as SigningPair | undefined,
  } = {},
): Promise<readonly string[]> {
  const dir = makeTempDir(t);
  const { nowMs } = soundMachine;
  const dates = { notBeforeMs: nowMs - 200 * dayMs, notAfterMs: nowMs + days * dayMs };
  const { certificatePem, keyPem } = await makeCertificate(names, { ...dates, issuer });
  const other = keyOf === names ? keyPem : (await makeCertificate(keyOf, dates)).keyPem;
  writeFileSync(join(dir, 'site.pem'), certificatePem);
  writeFileSync(join(dir, 'site.key'), other, { mode: 0o600 });
  const tls = { tlsCert: join(dir, 'site.pem'), tlsKey: join(dir, 'site.key') };
  return namesFound(
    djangoSubject({ allowedHosts: ['www.example.org', 'localhost'] }, { settings: { ...tls, ...settings } }),
  );
}

test('a certificate that is right', async (t) => {
  assert.deepEqual(await look(t, ['www.example.org']), []);
  assert.deepEqual(await look(t, ['*.example.org']), []);
});

test('one that expires', async (t) => {
  assert.deepEqual(await look(t, ['www.example.org'], { days: 13 }), ['certificate-expires warning']);
  assert.deepEqual(await look(t, ['www.example.org'], { days: -1 }), ['certificate-expired error']);
});

test('one of another key', async (t) => {
  assert.deepEqual(await look(t, ['www.example.org'], { keyOf: ['example.org'] }), [
    'certificate-key-mismatch error',
  ]);
});

test('one that is for none of the names, or not for all', async (t) => {
  assert.deepEqual(await look(t, ['www.example.com']), ['certificate-names error']);
  const settings = { canonicalHost: 'www.example.org' };
  assert.deepEqual(await look(t, ['www.example.org'], { settings }), []);
  const more = { domains: ['www.example.org'], canonicalHost: 'www.example.org' };
  assert.deepEqual(await look(t, ['www.example.org'], { settings: more }), []);
});

test('one without that of its issuer', async (t) => {
  const { nowMs } = soundMachine;
  const dates = { notBeforeMs: nowMs - dayMs, notAfterMs: nowMs + 900 * dayMs };
  const issuer = await makeCertificate([], { commonName: 'issuer', isAuthority: true, ...dates });
  assert.deepEqual(await look(t, ['www.example.org'], { issuer }), ['certificate-incomplete warning']);
});

test('one that is not served', async (t) => {
  assert.deepEqual(await look(t, ['www.example.com'], { days: -1, settings: { https: false } }), []);
});

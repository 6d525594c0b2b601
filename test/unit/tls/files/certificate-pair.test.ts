import assert from 'node:assert/strict';
import { createPrivateKey, X509Certificate } from 'node:crypto';
import { chmod } from 'node:fs/promises';
import { join } from 'node:path';
import { type TestContext, test } from 'node:test';
import { CertificateError } from '../../../../src/tls/certificate-error.js';
import { type CertificatePair, readCertificatePair } from '../../../../src/tls/files/certificate-pair.js';
import { makeFileTree } from '../../../support/file-tree.js';
import { runOpenssl } from '../../../support/openssl.js';
import { makeCertificate } from '../../../support/tls-material.js';

const dayMs = 86_400_000;
const site = await makeCertificate(['site.test', '*.site.test', '127.0.0.1', '::1']);
const other = await makeCertificate(['other.test']);

/** The pair in these files, of which `cert` is the certificate. */
async function read(
  t: TestContext,
  files: Readonly<Record<string, string>>,
  nowMs = Date.now(),
): Promise<CertificatePair> {
  const root = await makeFileTree(t, files);
  const path = (name: string) => join(root, name);
  return readCertificatePair(
    {
      cert: path('cert'),
      ...('key' in files && { key: path('key') }),
      ...('passphrase' in files && { passphraseFile: path('passphrase') }),
    },
    nowMs,
  );
}

/** The code that reading ends with; the message has to name the file. */
async function refuse(
  t: TestContext,
  files: Readonly<Record<string, string>>,
  nowMs?: number,
): Promise<string> {
  const error = await read(t, files, nowMs).then(
    () => assert.fail('the pair was taken'),
    (thrown: unknown) => thrown,
  );
  assert.ok(error instanceof CertificateError, String(error));
  assert.match(error.message, /easyserve-files-/);
  assert.equal(error.exitCode, 3);
  return error.code;
}

function encrypt(keyPem: string, type: 'pkcs8' | 'sec1'): string {
  const how = { format: 'pem', cipher: 'aes-256-cbc', passphrase: 'correct horse' } as const;
  return createPrivateKey(keyPem)
    .export({ type, ...how })
    .toString();
}

test('a certificate and its key, in two files or in one', async (t) => {
  const { material, facts, warnings } = await read(t, { cert: site.certificatePem, key: site.keyPem });
  assert.deepEqual(material.names, ['site.test', '*.site.test', '127.0.0.1', '::1']);
  assert.equal(material.keyPem, site.keyPem);
  const { issuer, notBeforeMs, notAfterMs, names } = facts;
  assert.equal(issuer, 'easyserve site.test');
  assert.equal(notAfterMs - notBeforeMs, 2 * dayMs);
  assert.equal(names, material.names);
  assert.deepEqual(
    warnings.filter((each) => !each.startsWith('every user')),
    [],
  );
  const one = await read(t, { cert: `${site.keyPem}${site.certificatePem}` });
  assert.deepEqual(one.material, material);
});

test('an encrypted key comes out decrypted, of both forms, with the first line of the file', async (t) => {
  for (const type of ['pkcs8', 'sec1'] as const) {
    for (const passphrase of ['correct horse', 'correct horse\n', 'correct horse\r\nmore\n']) {
      const files = { cert: site.certificatePem, key: encrypt(site.keyPem, type), passphrase };
      assert.equal((await read(t, files)).material.keyPem, site.keyPem);
    }
  }
});

test('the chain is put in order, and what has no place in it is left out', async (t) => {
  const root = await makeCertificate([], { commonName: 'root', isAuthority: true });
  const between = await makeCertificate([], { commonName: 'between', isAuthority: true, issuer: root });
  const leaf = await makeCertificate(['leaf.test'], { issuer: between });
  const mixed = [root, other, leaf, between, root].map((each) => each.certificatePem).join('# a comment\r\n');
  const { material, warnings, facts } = await read(t, { cert: mixed, key: leaf.keyPem });
  const chain = material.certificatePem.match(/-----BEGIN[^-]+-----[^-]+-----END[^-]+-----/g) ?? [];
  const subjects = chain.map((pem) => new X509Certificate(pem).subject.split('CN=')[1]);
  assert.deepEqual(subjects, ['leaf.test', 'between', 'root']);
  assert.equal(facts.issuer, 'easyserve between');
  assert.match(warnings.join('\n'), /left out/);
});

test('what works and is perhaps not meant is a warning', async (t) => {
  const root = await makeCertificate([], { commonName: 'root', isAuthority: true });
  const leaf = await makeCertificate([], { commonName: 'nameless', issuer: root });
  const folder = await makeFileTree(t, { cert: leaf.certificatePem, key: leaf.keyPem });
  const files = { cert: join(folder, 'cert'), key: join(folder, 'key') };
  await chmod(files.key, 0o644);
  const loud = await readCertificatePair(files, Date.now());
  assert.equal(loud.warnings.length, 3);
  assert.match(loud.warnings[0] ?? '', /chmod o-r .*key/);
  assert.match(loud.warnings[1] ?? '', /no host name/);
  assert.match(loud.warnings[2] ?? '', /without that of its issuer, easyserve root/);
  await chmod(files.key, 0o600);
  assert.equal((await readCertificatePair(files, Date.now())).warnings.length, 2);
});

test('files that cannot be read', async (t) => {
  const root = await makeFileTree(t, { 'folder/x': '', large: 'x'.repeat(1_048_577) });
  await runMkfifo(join(root, 'fifo'));
  for (const [name, reason] of [
    ['missing', /no such file/],
    ['folder', /not a file/],
    ['folder/x/y', /no such file/],
    ['large', /too large/],
    ['fifo', /not a file/],
  ] as const) {
    const reading = readCertificatePair({ cert: join(root, name) }, Date.now());
    await assert.rejects(reading, { code: 'certificate-unreadable', message: reason }, name);
  }
});

async function runMkfifo(path: string): Promise<void> {
  const { spawnSync } = await import('node:child_process');
  assert.equal(spawnSync('mkfifo', [path]).status, 0);
}

test('files that hold something else', async (t) => {
  const { certificatePem: cert, keyPem: key } = site;
  const damaged = cert.replace(/\n(.{20})/, '\nAAAAAAAAAAAAAAAAAAAA');
  assert.equal(await refuse(t, { cert: '', key }), 'certificate-malformed');
  assert.equal(await refuse(t, { cert: key, key }), 'certificate-malformed');
  assert.equal(await refuse(t, { cert: damaged, key }), 'certificate-malformed');
  assert.equal(await refuse(t, { cert, key: cert }), 'certificate-key-malformed');
  assert.equal(await refuse(t, { cert }), 'certificate-key-malformed');
  const damagedKey = key.replace(/\n.{20}/, '\nAAAAAAAAAAAAAAAAAAAA');
  assert.equal(await refuse(t, { cert, key: damagedKey }), 'certificate-key-malformed');
});

test('a key of another certificate', async (t) => {
  const files = { cert: site.certificatePem, key: other.keyPem };
  assert.equal(await refuse(t, files), 'certificate-key-mismatch');
});

test('a passphrase that is missing or wrong', async (t) => {
  for (const type of ['pkcs8', 'sec1'] as const) {
    const files = { cert: site.certificatePem, key: encrypt(site.keyPem, type) };
    assert.equal(await refuse(t, files), 'passphrase-missing');
    assert.equal(await refuse(t, { ...files, passphrase: 'wrong' }), 'passphrase-wrong');
    assert.equal(await refuse(t, { ...files, passphrase: '' }), 'passphrase-wrong');
  }
});

test('the time of day', async (t) => {
  const files = { cert: site.certificatePem, key: site.keyPem };
  assert.equal(await refuse(t, files, Date.now() + 2 * dayMs), 'certificate-expired');
  assert.equal(await refuse(t, files, Date.now() - 2 * dayMs), 'certificate-not-yet-valid');
});

test('a key that is too short for TLS', async (t) => {
  const folder = await makeFileTree(t, {});
  const [key, cert] = [join(folder, 'key'), join(folder, 'cert')];
  const command = `req -x509 -newkey rsa:512 -nodes -days 2 -subj /CN=short -keyout ${key} -out ${cert}`;
  assert.equal((await runOpenssl(command.split(' '))).code, 0);
  await assert.rejects(readCertificatePair({ cert, key }, Date.now()), { code: 'certificate-refused' });
});

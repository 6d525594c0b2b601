import assert from 'node:assert/strict';
import { chmod, mkdtemp, readdir, rm, stat } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type TestContext, test } from 'node:test';
import { CertificateFolder, defaultCertificateFolder } from '../../../../src/tls/acme/certificate-folder.js';
import { emptyRecord } from '../../../../src/tls/acme/order-record.js';
import { makeIssued } from '../../../support/issued-certificates.js';
import { RecordingLog } from '../../../support/recording-log.js';

const directory = 'https://ca.example/dir';

async function createFolder(t: TestContext): Promise<{ path: string; folder: CertificateFolder }> {
  const path = await mkdtemp(join(tmpdir(), 'easyserve-folder-'));
  t.after(() => rm(path, { recursive: true }));
  return { path, folder: new CertificateFolder(path, new RecordingLog()) };
}

test('what is written is read again, by its directory and its names', async (t) => {
  const { folder, path } = await createFolder(t);
  const certificate = await makeIssued(['a.example', 'b.example'], Date.now());
  await folder.writeCertificate(directory, certificate);
  assert.deepEqual(await folder.readCertificate(directory, ['b.example', 'a.example']), certificate);
  assert.equal(await folder.readCertificate(directory, ['a.example']), undefined);
  assert.equal(await folder.readCertificate('https://ca.example/other', certificate.names), undefined);
  const window = { startMs: 1, endMs: 2 };
  await folder.writeRecord(directory, ['a.example'], { ...emptyRecord, failures: 3, window });
  assert.deepEqual(await folder.readRecord(directory, ['a.example']), {
    ...emptyRecord,
    failures: 3,
    window,
  });
  assert.deepEqual(await folder.readRecord(directory, ['b.example']), emptyRecord);
  for (const name of await readdir(path, { recursive: true })) {
    const { mode } = await stat(join(path, name));
    assert.equal(mode & 0o077, 0, name);
  }
});

test('a certificate of another directory is found, the one that lasts longest', async (t) => {
  const { folder } = await createFolder(t);
  const short = await makeIssued(['a.example'], Date.now(), 6);
  const long = await makeIssued(['a.example'], Date.now(), 90);
  await folder.writeCertificate('https://one.example/dir', short);
  await folder.writeCertificate('https://two.example/dir', long);
  assert.deepEqual(await folder.readFormerCertificate(directory, ['a.example']), long);
  assert.deepEqual(await folder.readFormerCertificate('https://two.example/dir', ['a.example']), short);
  assert.equal(await folder.readFormerCertificate(directory, ['b.example']), undefined);
});

test('all that make the key of an account at the same time get the same', async (t) => {
  const { folder } = await createFolder(t);
  const keys = await Promise.all(Array.from({ length: 6 }, () => folder.accountKey(directory)));
  assert.equal(new Set(keys).size, 1);
  assert.match(keys[0] ?? '', /BEGIN PRIVATE KEY/);
  assert.equal(await folder.readAccountUrl(directory), undefined);
  await folder.writeAccountUrl(directory, 'https://ca.example/account/1');
  assert.equal(await folder.readAccountUrl(directory), 'https://ca.example/account/1');
});

test('an empty place proves writable and stays empty; the rights of the folder above are left alone', async (t) => {
  const { folder, path } = await createFolder(t);
  await chmod(path, 0o755);
  await folder.proveWritable(directory);
  const [only = ''] = await readdir(path);
  assert.deepEqual(await readdir(join(path, only)), []);
  assert.equal((await stat(path)).mode & 0o777, 0o755);
  assert.equal((await stat(join(path, only))).mode & 0o777, 0o700);
});

test('without a setting the folder is that of the user', () => {
  const user = { isRoot: false, home: '/home/a', stateHome: undefined, stateDirectory: undefined };
  assert.equal(defaultCertificateFolder(user), '/home/a/.local/state/easyserve/certificates');
  assert.equal(defaultCertificateFolder({ ...user, stateHome: '/state' }), '/state/easyserve/certificates');
  assert.equal(
    defaultCertificateFolder({ ...user, stateHome: 'x' }),
    '/home/a/.local/state/easyserve/certificates',
  );
  assert.equal(defaultCertificateFolder({ ...user, isRoot: true }), '/var/lib/easyserve/certificates');
  const ofService = { ...user, isRoot: true, stateDirectory: '/var/lib/shop:/var/lib/other' };
  assert.equal(defaultCertificateFolder(ofService), '/var/lib/shop/certificates');
});

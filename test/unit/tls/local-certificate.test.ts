import assert from 'node:assert/strict';
import { X509Certificate } from 'node:crypto';
import { readdir, readFile, rm, stat, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { type TestContext, test } from 'node:test';
import {
  keepLocalCertificate,
  type LocalCertificate,
  machineNames,
  makePlaceholder,
} from '../../../src/tls/local-certificate.js';
import { makeFileTree } from '../../support/file-tree.js';
import { handshake, serveTls } from '../../support/serve-tls.js';
import { makeMaterial } from '../../support/tls-material.js';

const dayMs = 86_400_000;
const nowMs = Date.now();
const names = ['localhost', '127.0.0.1', '::1', 'desk', 'desk.local'];

async function makeFolder(t: TestContext): Promise<string> {
  return join(await makeFileTree(t, {}), 'tls');
}

function serialOf({ material }: LocalCertificate): string {
  return new X509Certificate(material.certificatePem).serialNumber;
}

test('a browser that trusts the authority accepts the certificate, by name and by address', async (t) => {
  const local = await keepLocalCertificate(await makeFolder(t), names, nowMs);
  assert.equal(local.isNewAuthority, true);
  assert.deepEqual(local.material.names, names);
  const ca = await readFile(local.authorityFile);
  const { port } = await serveTls(t, makeMaterial([local.material]));
  const client = { ca, rejectUnauthorized: true };
  await handshake(port, { ...client, servername: 'localhost' });
  await handshake(port, { ...client, servername: 'desk.local' });
  await handshake(port, client); // 127.0.0.1
  await assert.rejects(handshake(port, { ...client, servername: 'elsewhere.test' }), {
    code: 'ERR_TLS_CERT_ALTNAME_INVALID',
  });
  await assert.rejects(handshake(port, { rejectUnauthorized: true, servername: 'localhost' }));
});

test('it is what browsers ask for: not too long, for servers only, its authority for nothing else', async (t) => {
  const { material, authorityFile } = await keepLocalCertificate(await makeFolder(t), names, nowMs);
  const leaf = new X509Certificate(material.certificatePem);
  const authority = new X509Certificate(await readFile(authorityFile));
  assert.equal(leaf.ca, false);
  assert.deepEqual(leaf.keyUsage, ['1.3.6.1.5.5.7.3.1']);
  assert.ok(Date.parse(leaf.validTo) - Date.parse(leaf.validFrom) < 399 * dayMs);
  assert.equal(authority.ca, true);
  assert.ok(leaf.checkIssued(authority) && leaf.verify(authority.publicKey));
  assert.ok(authority.checkIssued(authority) && authority.verify(authority.publicKey));
});

test('only the owner can read the files, and nothing else lies about', async (t) => {
  const folder = await makeFolder(t);
  await keepLocalCertificate(folder, names, nowMs);
  assert.equal((await stat(folder)).mode & 0o777, 0o700);
  const files = (await readdir(folder)).sort();
  assert.deepEqual(files, ['local-authority.crt', 'local-authority.pem', 'local.pem']);
  for (const file of files) assert.equal((await stat(join(folder, file))).mode & 0o077, 0, file);
  assert.doesNotMatch(await readFile(join(folder, 'local-authority.crt'), 'utf8'), /PRIVATE/);
});

test('the next start takes the same; less than a month before its end it is made anew, by the same authority', async (t) => {
  const folder = await makeFolder(t);
  const first = await keepLocalCertificate(folder, names, nowMs);
  const again = await keepLocalCertificate(folder, names, nowMs + 366 * dayMs);
  assert.deepEqual(again.material, first.material);
  assert.equal(again.isNewAuthority, false);
  const later = await keepLocalCertificate(folder, names, nowMs + 368 * dayMs);
  assert.notEqual(serialOf(later), serialOf(first));
  assert.equal(later.isNewAuthority, false);
  const muchLater = await keepLocalCertificate(folder, names, nowMs + 10 * 365 * dayMs);
  assert.equal(muchLater.isNewAuthority, true);
});

test('a new name, a damaged file or another authority makes a new one', async (t) => {
  const folder = await makeFolder(t);
  const file = (name: string) => join(folder, name);
  const first = await keepLocalCertificate(folder, ['localhost'], nowMs);
  const named = await keepLocalCertificate(folder, names, nowMs);
  assert.notEqual(serialOf(named), serialOf(first));
  await writeFile(file('local.pem'), 'damaged');
  const mended = await keepLocalCertificate(folder, names, nowMs);
  assert.notEqual(serialOf(mended), serialOf(named));
  assert.equal(mended.isNewAuthority, false);
  await rm(file('local-authority.pem'));
  const replaced = await keepLocalCertificate(folder, names, nowMs);
  assert.equal(replaced.isNewAuthority, true);
  assert.notEqual(serialOf(replaced), serialOf(mended));
  await rm(file('local-authority.crt'));
  await keepLocalCertificate(folder, names, nowMs);
  const authority = new X509Certificate(await readFile(file('local-authority.crt')));
  assert.ok(new X509Certificate(replaced.material.certificatePem).verify(authority.publicKey));
});

test('a folder that cannot be written is a clear error', async (t) => {
  const root = await makeFileTree(t, { file: '' });
  await assert.rejects(keepLocalCertificate(join(root, 'file', 'tls'), names, nowMs), {
    code: 'certificate-folder-unusable',
    message: /ENOTDIR/,
  });
});

test('the placeholder is for the names that are waited for, or for none', async (t) => {
  const placeholder = await makePlaceholder(['site.test', '*.site.test'], nowMs);
  const { port } = await serveTls(t, makeMaterial([placeholder]));
  const ca = placeholder.certificatePem;
  await handshake(port, { ca, rejectUnauthorized: true, servername: 'www.site.test' });
  const nameless = await makePlaceholder([], nowMs);
  assert.equal(new X509Certificate(nameless.certificatePem).subjectAltName, undefined);
});

test('the names of a machine', () => {
  const usual = ['localhost', '127.0.0.1', '::1'];
  assert.deepEqual(machineNames('Desk'), [...usual, 'desk', 'desk.local']);
  assert.deepEqual(machineNames('web1.example.com'), [...usual, 'web1.example.com']);
  assert.deepEqual(machineNames('localhost'), usual);
  assert.deepEqual(machineNames('not a name'), usual);
  assert.ok(machineNames().length >= usual.length);
});

import assert from 'node:assert/strict';
import { X509Certificate } from 'node:crypto';
import { readdir, readFile, stat, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { test } from 'node:test';
import { createAcmeWorld } from '../support/acme-world.js';
import { startPebble } from '../support/pebble.js';

test('Pebble gives a certificate for each of several names, which is kept over a restart', async (t) => {
  const world = await createAcmeWorld(t);
  const names = ['example.com', 'www.example.com', 'shop.example.org'];
  const manager = world.createManager(t, names);
  manager.start();
  assert.deepEqual(
    manager.status().map(({ state }) => state),
    ['placeholder', 'placeholder', 'placeholder'],
    'start waits for nothing',
  );
  await world.untilValid(manager);
  const root = new X509Certificate(await world.pebble.root());
  const { certificates, httpChallenges, alpnCertificates } = world.answers.material;
  assert.deepEqual(certificates.map((each) => each.names[0]).sort(), [...names].sort());
  assert.deepEqual([httpChallenges, alpnCertificates], [[], []], 'all challenges are taken back');
  for (const {
    names: [name = ''],
    certificatePem,
    keyPem,
  } of certificates) {
    const [leaf = '', intermediate = ''] = certificatePem.split(/(?<=-----END CERTIFICATE-----)\s+/);
    assert.equal(new X509Certificate(leaf).checkHost(name), name);
    assert.equal(new X509Certificate(leaf).publicKey.asymmetricKeyDetails?.namedCurve, 'prime256v1');
    assert.ok(new X509Certificate(leaf).verify(new X509Certificate(intermediate).publicKey));
    assert.ok(new X509Certificate(intermediate).verify(root.publicKey));
    assert.match(keyPem, /BEGIN PRIVATE KEY/);
  }
  await manager.stop();
  assert.equal(world.log.all('acme-account').length, 1, 'three orders at a time, one account');
  await assertPrivate(world.folder);

  const orders = world.orders;
  const next = world.createManager(t, names);
  next.start();
  await world.untilValid(next);
  assert.equal(world.orders, orders, 'nothing is ordered anew');
  assert.equal(world.answers.material.certificates.length, 3);
});

test('what port 80 cannot prove port 443 does, and is asked first the next time', async (t) => {
  const world = await createAcmeWorld(t);
  world.answers.answerWrongly();
  const published: string[] = [];
  const manager = world.createManager(t, ['example.com'], {}, async (material) => {
    if (material.httpChallenges.length > 0) published.push('http-01');
    if (material.alpnCertificates.length > 0) published.push('tls-alpn-01');
    await world.answers.publish(material);
  });
  manager.start();
  await world.untilValid(manager);
  assert.deepEqual(published, ['http-01', 'tls-alpn-01']);
  const record = await world.readRecord('example.com');
  assert.equal(record.challenge, 'tls-alpn-01');
});

test('the first order of a name is tried out at the staging directory, and a renewal is not', async (t) => {
  const world = await createAcmeWorld(t, { validitySeconds: 6 * 3600 });
  const staging = await startPebble(t, world.answers, { unknownNames: new Set(['mistyped.example']) });
  world.stagingUrl = staging.directoryUrl;
  const acmeCaFile = join(world.folder, 'both.pem');
  const roots = await Promise.all([world.pebble, staging].map(({ caFile }) => readFile(caFile, 'utf8')));
  await writeFile(acmeCaFile, roots.join(''));
  const manager = world.createManager(t, ['example.com', 'mistyped.example'], { acmeCaFile });
  manager.start();
  await world.log.seen('certificate-issued');
  await world.log.seen('certificate-failed');
  assert.equal(world.orders, 1, 'the mistyped name never comes to the real directory');
  assert.equal(world.stagingOrders, 2);
  const [certificate] = world.answers.material.certificates;
  assert.ok(certificate);
  const root = new X509Certificate(await world.pebble.root());
  const [, intermediate = ''] = certificate.certificatePem.split(/(?<=-----END CERTIFICATE-----)\s+/);
  assert.ok(
    new X509Certificate(intermediate).verify(root.publicKey),
    'what is served is of the real directory',
  );

  manager.configure(world.settings(['example.com'], { acmeCaFile }));
  // Beyond its lifetime of six hours: the window that Pebble suggests is all of it, and the moment within it is left to chance.
  world.passTime(7 * 3_600_000);
  await world.log.seen('certificate-issued', 2);
  assert.deepEqual([world.orders, world.stagingOrders], [2, 2]);
});

test('an authority that asks for an account binding and RSA keys', async (t) => {
  const hmacKey = 'zWNDZM6eQGHWpSRTPal5eIUYFTu7EajVIoguysqZ9wG44nMEtx3MUAsUDkMTQ12W';
  const world = await createAcmeWorld(t, { eabKeys: { 'kid-1': hmacKey } });
  const manager = world.createManager(t, ['example.com']);
  manager.start();
  const failed = await world.log.seen('certificate-failed');
  assert.equal(failed.fields.code, 'acme-eab');
  assert.match(String(failed.fields.hint), /acmeEabKeyId/);

  const acmeEabHmacKeyFile = join(world.folder, 'hmac');
  await writeFile(acmeEabHmacKeyFile, `${hmacKey}\n`);
  manager.configure(
    world.settings(['example.com'], {
      acmeEabKeyId: 'kid-1',
      acmeEabHmacKeyFile,
      acmeEmail: 'somebody@example.com',
      acmeKeyType: 'rsa',
    }),
  );
  await world.untilValid(manager);
  const [certificate] = world.answers.material.certificates;
  assert.ok(certificate);
  const { publicKey } = new X509Certificate(certificate.certificatePem);
  assert.equal(publicKey.asymmetricKeyDetails?.modulusLength, 2048);
});

/** 0600 for files, 0700 for folders. */
async function assertPrivate(path: string): Promise<void> {
  assert.equal((await stat(path)).mode & 0o777, 0o700);
  for (const entry of await readdir(path, { withFileTypes: true })) {
    const inner = join(path, entry.name);
    if (entry.isDirectory()) await assertPrivate(inner);
    else assert.equal((await stat(inner)).mode & 0o777, 0o600, inner);
    assert.doesNotMatch(entry.name, /\.(new|lock|stale)$|probe/);
  }
}

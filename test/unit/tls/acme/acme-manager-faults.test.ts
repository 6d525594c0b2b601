import assert from 'node:assert/strict';
import { readdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { test } from 'node:test';
import { AcmeError } from '../../../../src/tls/acme/acme-error.js';
import { CertificateFolder } from '../../../../src/tls/acme/certificate-folder.js';
import { type AcmeManagerWorld, createAcmeManagerWorld } from '../../../support/acme-manager-world.js';
import { eventually } from '../../../support/eventually.js';

const minuteMs = 60_000;
const hourMs = 60 * minuteMs;
const dayMs = 24 * hourMs;

/** Root may write everywhere, so that a full disk and the like are played. */
class FaultyFolder extends CertificateFolder {
  fault: string | undefined;
  faultOn: 'proveWritable' | 'writeCertificate' = 'proveWritable';

  override async proveWritable(directoryUrl: string): Promise<void> {
    if (this.faultOn === 'proveWritable') this.#check();
    await super.proveWritable(directoryUrl);
  }

  override async writeCertificate(...args: Parameters<CertificateFolder['writeCertificate']>): Promise<void> {
    this.#check();
    await super.writeCertificate(...args);
  }

  #check(): void {
    if (this.fault === undefined) return;
    throw Object.assign(new Error(`${this.fault}: cannot write`), { code: this.fault, path: '/state/x.pem' });
  }
}

for (const [fault, code, sentence] of [
  ['ENOSPC', 'acme-disk-full', "/state/x.pem can't be written: the disk is full."],
  ['EACCES', 'acme-folder-forbidden', "/state/x.pem can't be written by this user (EACCES)."],
  ['EROFS', 'acme-folder-forbidden', "/state/x.pem can't be written by this user (EROFS)."],
] as const) {
  test(`${fault} in the folder: nothing is ordered, the old certificate is served, and the status says why`, async (t) => {
    const world = await createAcmeManagerWorld(t);
    const folder = new FaultyFolder(world.path, world.log);
    const manager = world.createManager(t, world.settings(['example.com']), folder);
    manager.start();
    await world.log.seen('certificate-issued');
    const served = world.published.at(-1)?.certificates;
    folder.fault = fault;
    world.skewMs = 61 * dayMs;
    await world.pass(hourMs);
    assert.equal(world.orderer.requests.length, 1);
    const [status] = manager.status();
    assert.deepEqual(
      [status?.state, status?.lastError?.code, status?.lastError?.sentence],
      ['failing', code, sentence],
    );
    assert.deepEqual(world.published.at(-1)?.certificates, served);
    folder.fault = undefined;
    await world.pass(6 * hourMs);
    assert.equal(manager.status()[0]?.state, 'valid');
    assert.equal(world.orderer.requests.length, 2);
  });
}

test('a disk that is full when the certificate comes: it is served, kept in memory and saved later, not ordered again', async (t) => {
  const world = await createAcmeManagerWorld(t);
  const folder = new FaultyFolder(world.path, world.log);
  folder.faultOn = 'writeCertificate';
  folder.fault = 'ENOSPC';
  const manager = world.createManager(t, world.settings(['example.com']), folder);
  manager.start();
  await world.log.seen('certificate-failed');
  await world.untilIdle();
  assert.equal(world.published.at(-1)?.certificates.length, 1);
  assert.equal(manager.status()[0]?.lastError?.code, 'acme-disk-full');
  await world.pass(2 * minuteMs);
  assert.equal(world.log.all('certificate-failed').length, 2);
  folder.fault = undefined;
  await world.pass(10 * minuteMs);
  assert.equal(world.orderer.requests.length, 1);
  const files = await filesOf(world);
  assert.ok(files.includes('example.com.pem'), files.join());
});

test('a folder that can not be made: an error in words, and HTTP goes on', async (t) => {
  const world = await createAcmeManagerWorld(t);
  const path = join(world.path, 'a-file');
  await writeFile(path, '');
  const manager = world.createManager(
    t,
    world.settings(['example.com']),
    new CertificateFolder(path, world.log),
  );
  manager.start();
  const { fields } = await world.log.seen('certificate-failed');
  assert.equal(fields.code, 'acme-folder-forbidden');
  assert.match(String(fields.hint), /acmeFolder/);
  assert.equal(world.orderer.requests.length, 0);
});

test('damaged files are moved aside, never deleted, and a new certificate is ordered', async (t) => {
  const world = await createAcmeManagerWorld(t);
  const first = world.createManager(t, world.settings(['example.com']));
  first.start();
  await world.log.seen('certificate-issued');
  await first.stop();
  const [directory = ''] = await readdir(world.path);
  const file = (name: string): string => join(world.path, directory, name);
  const whole = await readFile(file('example.com.pem'), 'utf8');
  await writeFile(file('example.com.pem'), whole.slice(0, 500));
  await writeFile(file('example.com.json'), '{"failures": "many"}');
  const next = world.createManager(t, world.settings(['example.com']));
  next.start();
  await world.log.seen('certificate-issued', 2);
  await world.untilIdle();
  assert.equal(world.log.all('certificate-damaged').length, 2);
  const names = await readdir(join(world.path, directory));
  const aside = names.filter((name) => name.includes('unreadable'));
  assert.equal(aside.length, 2, names.join());
  const kept = aside.find((name) => name.startsWith('example.com.pem')) ?? '';
  assert.equal(await readFile(file(kept), 'utf8'), whole.slice(0, 500));
});

test('a certificate that has expired in the folder is served until there is a new one', async (t) => {
  const world = await createAcmeManagerWorld(t);
  const first = world.createManager(t, world.settings(['example.com']));
  first.start();
  await world.log.seen('certificate-issued');
  await first.stop();
  const expired = world.published.at(-1)?.certificates;
  world.skewMs = 200 * dayMs;
  world.orderer.failures.set('example.com', [new AcmeError('acme-ca-failed', 'is out of order')]);
  const next = world.createManager(t, world.settings(['example.com']));
  next.start();
  await world.log.seen('certificate-failed');
  await world.untilIdle();
  assert.deepEqual(world.published.at(-1)?.certificates, expired);
  await world.pass(minuteMs);
  assert.notDeepEqual(world.published.at(-1)?.certificates, expired);
});

test('new certificates that are old by this clock are served, and orders do not follow each other without an end', async (t) => {
  const world = await createAcmeManagerWorld(t);
  // A second: what a machine whose clock is ahead of the authority's sees.
  world.orderer.days = 1 / 24 / 3600;
  const manager = world.createManager(t, world.settings(['example.com']));
  manager.start();
  await world.log.seen('certificate-issued');
  await world.pass(dayMs);
  assert.ok(world.orderer.requests.length <= 12, `${world.orderer.requests.length} orders in a day`);
  assert.equal(world.published.at(-1)?.certificates.length, 1);
});

test('a retry that was put off by a clock far ahead does not wait for that time', async (t) => {
  const world = await createAcmeManagerWorld(t);
  world.skewMs = 400 * dayMs;
  world.orderer.failures.set('example.com', [new AcmeError('acme-ca-untrusted', 'expired')]);
  const manager = world.createManager(t, world.settings(['example.com']));
  manager.start();
  await world.log.seen('certificate-failed');
  await world.untilIdle();
  world.skewMs = 0;
  await world.pass(2 * minuteMs);
  assert.equal(manager.status()[0]?.state, 'valid');
});

test('a window that the authority moves is followed; one that it does not tell leaves the last', async (t) => {
  const world = await createAcmeManagerWorld(t);
  const startMs = world.wallNow();
  const window = (day: number) => ({ startMs: startMs + day * dayMs, endMs: startMs + (day + 1) * dayMs });
  const said = { pollInMs: 6 * hourMs, explanationUrl: undefined };
  world.orderer.advice = [
    { ...said, window: window(40) },
    { ...said, window: window(10) },
  ];
  const manager = world.createManager(t, world.settings(['example.com']));
  manager.start();
  await world.log.seen('certificate-issued');
  await world.pass(5 * hourMs);
  const planned = (): number => (Date.parse(manager.status()[0]?.nextRenewalAt ?? '') - startMs) / dayMs;
  assert.ok(planned() >= 40 && planned() <= 41, String(planned()));
  await world.pass(2 * hourMs);
  assert.ok(planned() >= 10 && planned() <= 11, String(planned()));
  assert.equal(world.log.all('renewal-moved').length, 1);
  world.orderer.advice = [];
  await world.pass(12 * dayMs);
  assert.equal(world.orderer.requests.length, 2, 'renewed in the last window that was told');
});

test('an instance waits while another one orders, and takes over what that one got', async (t) => {
  const world = await createAcmeManagerWorld(t);
  let open: () => void = () => undefined;
  world.orderer.gate = new Promise<void>((resolve) => {
    open = resolve;
  });
  const [a, b] = [0, 1].map(() => world.createManager(t, world.settings(['example.com'])));
  a?.start();
  await world.log.seen('certificate-order');
  b?.start();
  // The heartbeat of the lock, and the pause of the one that waits.
  await eventually(() => assert.equal(world.clock.pending, 2));
  open();
  await world.log.seen('certificate-issued');
  await world.pass(5_000, 2);
  assert.equal(world.orderer.requests.length, 1);
  assert.deepEqual([a?.status()[0]?.state, b?.status()[0]?.state], ['valid', 'valid']);
});

async function filesOf(world: AcmeManagerWorld): Promise<string[]> {
  const [directory = ''] = await readdir(world.path);
  return readdir(join(world.path, directory));
}

import assert from 'node:assert/strict';
import { rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { type TestContext, test } from 'node:test';
import { certificateFilesOf, FileCertificates } from '../../../../src/tls/files/file-certificates.js';
import { defaultSettings } from '../../../support/default-settings.js';
import { eventually } from '../../../support/eventually.js';
import { FakeClock } from '../../../support/fake-clock.js';
import { makeFileTree } from '../../../support/file-tree.js';
import { RecordingLog } from '../../../support/recording-log.js';
import { makeCertificate } from '../../../support/tls-material.js';

const dayMs = 86_400_000;
const [one, two, renewed] = await Promise.all(
  ['one.test', 'two.test', 'one.test'].map((name) => makeCertificate([name])),
);
assert.ok(one && two && renewed);

interface World {
  readonly own: FileCertificates;
  readonly log: RecordingLog;
  readonly clock: FakeClock;
  readonly path: (name: string) => string;
  /** The time of day, moved by tests. */
  nowMs: number;
  put(name: string, text: string): Promise<void>;
  /** refresh(), with the second that it may wait. */
  refresh(): Promise<boolean>;
}

async function makeWorld(t: TestContext): Promise<World> {
  const root = await makeFileTree(t, {
    '1.pem': one?.certificatePem ?? '',
    '1.key': one?.keyPem ?? '',
    '2.pem': `${two?.certificatePem}${two?.keyPem}`,
  });
  const path = (name: string) => join(root, name);
  const list = [{ cert: path('1.pem'), key: path('1.key') }, { cert: path('2.pem') }];
  const clock = new FakeClock();
  const log = new RecordingLog();
  const world: World = {
    own: new FileCertificates(list, { clock, log, nowMs: () => world.nowMs }),
    log,
    clock,
    path,
    nowMs: Date.now(),
    put: (name, text) => writeFile(path(name), text, { mode: 0o600 }),
    async refresh() {
      let isDone = false;
      const done = world.own.refresh().finally(() => {
        isDone = true;
      });
      await eventually(() => assert.ok(isDone || clock.pending === 1));
      clock.advance(1000);
      return done;
    },
  };
  return world;
}

function namesOf(own: FileCertificates): readonly string[] {
  return own.certificates.flatMap(({ names }) => names);
}

test('the settings name them, that of tlsCert first', () => {
  const more = [{ cert: '/b', key: '/c', passphraseFile: '/d' }];
  const files = (changed: Parameters<typeof defaultSettings>[0]) =>
    certificateFilesOf(defaultSettings(changed));
  assert.deepEqual(files({}), []);
  assert.deepEqual(files({ tlsCertificates: more }), more);
  assert.deepEqual(files({ tlsCert: '/a', tlsCertificates: more }), [{ cert: '/a' }, ...more]);
  assert.deepEqual(files({ tlsCert: '/a', tlsKey: '/k', tlsPassphraseFile: '/p' }), [
    { cert: '/a', key: '/k', passphraseFile: '/p' },
  ]);
});

test('all are read, and their files are known', async (t) => {
  const { own, path } = await makeWorld(t);
  assert.deepEqual(own.files, [path('1.pem'), path('1.key'), path('2.pem')]);
  assert.deepEqual(own.certificates, []);
  await own.load('reload');
  assert.deepEqual(namesOf(own), ['one.test', 'two.test']);
  assert.deepEqual(
    own.states.map(({ facts, rejected }) => [facts?.issuer, rejected]),
    [
      ['easyserve one.test', undefined],
      ['easyserve two.test', undefined],
    ],
  );
});

test('a renewed pair is served; the same again is nothing new', async (t) => {
  const world = await makeWorld(t);
  await world.own.load('start');
  assert.equal(await world.refresh(), false);
  await world.put('1.pem', renewed.certificatePem);
  await world.put('1.key', renewed.keyPem);
  assert.equal(await world.refresh(), true);
  assert.equal(world.own.certificates[0]?.keyPem, renewed.keyPem);
  assert.equal(world.log.all('certificate-replaced').length, 1);
  assert.equal(await world.refresh(), false);
  assert.equal(world.log.all('certificate-rejected').length, 0);
});

test('a bad pair is logged and the old one stays; the others are renewed all the same', async (t) => {
  const world = await makeWorld(t);
  await world.own.load('start');
  await world.put('1.key', two.keyPem);
  await world.put('2.pem', `${renewed.certificatePem}${renewed.keyPem}`);
  assert.equal(await world.refresh(), true);
  assert.deepEqual(
    world.own.certificates.map(({ keyPem }) => keyPem),
    [one.keyPem, renewed.keyPem],
  );
  const [record, ...more] = world.log.all('certificate-rejected');
  assert.deepEqual(more, []);
  assert.equal(record?.level, 'error');
  assert.equal(record?.fields.code, 'certificate-key-mismatch');
  await rm(world.path('1.pem'));
  assert.equal(await world.refresh(), false);
  assert.equal(world.own.certificates.length, 2);
});

test('a key that comes a moment after its certificate is waited for', async (t) => {
  const { own, put, clock, log } = await makeWorld(t);
  await own.load('start');
  await put('1.pem', renewed.certificatePem);
  const refreshed = own.refresh();
  await eventually(() => assert.equal(clock.pending, 1));
  await put('1.key', renewed.keyPem);
  clock.advance(1000);
  assert.equal(await refreshed, true);
  assert.equal(own.certificates[0]?.keyPem, renewed.keyPem);
  assert.deepEqual(log.all('certificate-rejected'), []);
});

test('refreshes at the same time come one after the other', async (t) => {
  const { own, put } = await makeWorld(t);
  await own.load('start');
  await put('2.pem', `${renewed.certificatePem}${renewed.keyPem}`);
  assert.deepEqual(await Promise.all([own.refresh(), own.refresh()]), [true, false]);
});

test('one that has expired while it was served does not hold a reload back; a new one that has does', async (t) => {
  const world = await makeWorld(t);
  await world.own.load('start');
  world.nowMs += 4000 * dayMs;
  const list = [{ cert: world.path('1.pem'), key: world.path('1.key') }];
  const next = () =>
    new FileCertificates(list, { clock: world.clock, log: world.log, nowMs: () => world.nowMs });
  const own = next();
  await own.load('reload', world.own);
  assert.deepEqual(own.certificates, world.own.certificates.slice(0, 1));
  assert.equal(world.log.all('certificate-rejected').length, 1);
  const other = new FileCertificates([], { clock: world.clock, log: world.log, nowMs: () => world.nowMs });
  await assert.rejects(next().load('reload', other), { code: 'certificate-expired' });
});

test('an expired one stops a reload; at a start it is logged, and the others are served', async (t) => {
  const world = await makeWorld(t);
  const old = await makeCertificate(['old.test'], { notAfterMs: world.nowMs - dayMs / 2 });
  await world.put('1.pem', old.certificatePem);
  await world.put('1.key', old.keyPem);
  await assert.rejects(world.own.load('reload'), { code: 'certificate-expired' });
  assert.deepEqual(namesOf(world.own), []);
  await world.own.load('start');
  assert.deepEqual(namesOf(world.own), ['two.test']);
  assert.equal(world.log.all('certificate-rejected').length, 1);
  await world.put('1.pem', one.certificatePem);
  await world.put('1.key', one.keyPem);
  assert.equal(await world.refresh(), true);
  assert.deepEqual(namesOf(world.own), ['one.test', 'two.test']);
});

test('a mistake stops a start too', async (t) => {
  const { own, put } = await makeWorld(t);
  await put('1.key', 'nothing');
  await assert.rejects(own.load('start'), { code: 'certificate-key-malformed' });
});

test('one that expires while it is served goes on being served', async (t) => {
  const world = await makeWorld(t);
  await world.own.load('start');
  world.nowMs += 3 * dayMs;
  assert.equal(await world.refresh(), false);
  assert.deepEqual(namesOf(world.own), ['one.test', 'two.test']);
});

test('why a new pair is not served is known until it is right, and told again only when a file has changed', async (t) => {
  const world = await makeWorld(t);
  await world.own.load('start');
  await world.put('2.pem', renewed.certificatePem);
  await world.refresh();
  const [fine, wrong] = world.own.states;
  assert.equal(fine?.rejected, undefined);
  assert.equal(wrong?.facts?.names[0], 'two.test');
  assert.equal(wrong?.rejected?.code, 'certificate-key-malformed');
  assert.ok(Date.parse(wrong.rejected.at) > 0);

  const again = world.own.catchUp();
  await eventually(() => assert.equal(world.clock.pending, 1));
  world.clock.advance(1000);
  await again;
  assert.equal(world.log.all('certificate-rejected').length, 1);
  await world.refresh();
  assert.equal(world.log.all('certificate-rejected').length, 2);
  await world.put('2.pem', `${two?.certificatePem}${two?.keyPem}`);
  await world.refresh();
  assert.deepEqual(
    world.own.states.map(({ rejected }) => rejected),
    [undefined, undefined],
  );
});

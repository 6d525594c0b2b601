import assert from 'node:assert/strict';
import { access, mkdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { type TestContext, test } from 'node:test';
import type { TlsMaterial } from '../../../src/contracts/tls-material.js';
import { type Settings, wantsHttps } from '../../../src/settings/settings.js';
import { Certificates } from '../../../src/supervisor/certificates.js';
import { CertificateFolder } from '../../../src/tls/acme/certificate-folder.js';
import { defaultSettings } from '../../support/default-settings.js';
import { eventually } from '../../support/eventually.js';
import { FakeClock } from '../../support/fake-clock.js';
import { makeFileTree } from '../../support/file-tree.js';
import { makeIssued } from '../../support/issued-certificates.js';
import { RecordingLog } from '../../support/recording-log.js';
import { makeCertificate } from '../../support/tls-material.js';

const dayMs = 86_400_000;
const startMs = Date.now();
/** Nothing answers there; no order ever gets so far in these tests. */
const acmeDirectory = 'https://127.0.0.1:1/directory';
const [one, two, wild] = await Promise.all(
  [['one.test'], ['two.test'], ['*.wild.test']].map((names) => makeCertificate(names)),
);
assert.ok(one && two && wild);

/** Certificates with real files; what is published and watched is only noted. */
class World {
  readonly root: string;
  readonly log = new RecordingLog();
  readonly clock = new FakeClock();
  readonly published: TlsMaterial[] = [];
  /** Called by the test when it has changed a file. */
  onChange: (() => Promise<void>) | undefined;
  watched: readonly string[] = [];
  beforeWatch: () => Promise<void> = async () => {};
  publish: (material: TlsMaterial) => Promise<void> = async () => {};
  nowMs = startMs;
  readonly certificates: Certificates;

  constructor(root: string) {
    this.root = root;
    this.certificates = new Certificates({
      folderFor: ({ acmeFolder }) => acmeFolder ?? this.path('acme'),
      hstsFile: this.path('hsts.json'),
      clock: this.clock,
      wallNow: () => this.nowMs,
      log: this.log,
      publish: async (material) => {
        await this.publish(material);
        this.published.push(material);
      },
      watch: async (files, onChange) => {
        await this.beforeWatch();
        [this.watched, this.onChange] = [files, onChange];
        return {
          close: async () => {
            [this.watched, this.onChange] = [[], undefined];
          },
        };
      },
    });
  }

  path(name: string): string {
    return join(this.root, name);
  }

  get last(): TlsMaterial {
    const material = this.published.at(-1);
    assert.ok(material, 'nothing was published');
    return material;
  }

  /** Names of what is served, in order. */
  get served(): readonly (readonly string[])[] {
    return this.last.certificates.map(({ names }) => names);
  }

  async use(
    changed: Partial<Settings>,
    moment: 'start' | 'reload' = 'start',
    port: number | undefined = 443,
  ): Promise<void> {
    const settings = defaultSettings({ acmeDirectory, ...changed });
    await this.certificates.use(await this.certificates.prepare(settings, moment), port);
  }
}

async function makeWorld(t: TestContext): Promise<World> {
  const both = (pair: typeof one) => `${pair?.keyPem}${pair?.certificatePem}`;
  const root = await makeFileTree(t, { 'one.pem': both(one), 'two.pem': both(two), 'wild.pem': both(wild) });
  const world = new World(root);
  t.after(() => world.certificates.stop());
  return world;
}

test('HTTPS is wanted where there is something to serve it with, unless it is said', () => {
  const wants = (changed: Partial<Settings>) => wantsHttps(defaultSettings(changed));
  assert.equal(wants({}), false);
  assert.equal(wants({ https: true }), true);
  assert.equal(wants({ domains: ['one.test'] }), true);
  assert.equal(wants({ tlsCert: '/a' }), true);
  assert.equal(wants({ tlsCertificates: [{ cert: '/a' }] }), true);
  assert.equal(wants({ domains: ['one.test'], tlsCert: '/a', https: false }), false);
});

test('off: nothing is read, published or watched', async (t) => {
  const world = await makeWorld(t);
  await world.use({ https: false, tlsCert: '/missing' }, 'start', undefined);
  world.certificates.keep();
  assert.deepEqual([world.published, world.watched, world.certificates.status()], [[], [], []]);
});

test('own certificates: all of them in order, their names, and where they are looked for', async (t) => {
  const world = await makeWorld(t);
  await world.use(
    { tlsCert: world.path('one.pem'), tlsCertificates: [{ cert: world.path('two.pem') }] },
    'start',
    8443,
  );
  assert.deepEqual(world.served, [['one.test'], ['two.test']]);
  const { securedNames, publicPort, hstsMaxAgeSeconds, ticketKeys } = world.last;
  assert.deepEqual(
    [securedNames, publicPort, hstsMaxAgeSeconds],
    [['one.test', 'two.test'], 8443, undefined],
  );
  assert.equal(Buffer.from(ticketKeys, 'base64').length, 48);
  assert.deepEqual(world.watched, [world.path('one.pem'), world.path('two.pem')]);
  const [status] = world.certificates.status();
  assert.deepEqual(
    [status?.names, status?.state, status?.issuer],
    [['one.test'], 'valid', 'easyserve one.test'],
  );
});

test('a file that is replaced is published; a bad one is not, and the status says why', async (t) => {
  const world = await makeWorld(t);
  await world.use({ tlsCert: world.path('one.pem') });
  const renewed = await makeCertificate(['one.test']);
  await writeFile(world.path('one.pem'), `${renewed.keyPem}${renewed.certificatePem}`);
  await world.onChange?.();
  assert.equal(world.last.certificates[0]?.keyPem, renewed.keyPem);

  await writeFile(world.path('one.pem'), 'rubbish');
  const changed = world.onChange?.();
  await eventually(() => assert.ok(world.clock.nextInMs === 1000, 'the other file may follow'));
  world.clock.advance(1000);
  await changed;
  assert.equal(world.published.length, 2);
  const [status] = world.certificates.status();
  assert.deepEqual([status?.state, status?.lastError?.code], ['failing', 'certificate-malformed']);
});

test('a file that was replaced while the application started is not missed', async (t) => {
  const world = await makeWorld(t);
  const renewed = await makeCertificate(['one.test']);
  world.beforeWatch = () => writeFile(world.path('one.pem'), `${renewed.keyPem}${renewed.certificatePem}`);
  await world.use({ tlsCert: world.path('one.pem') });
  assert.equal(world.last.certificates[0]?.keyPem, renewed.keyPem);
});

test('a bad certificate is refused, and what is in force stays', async (t) => {
  const world = await makeWorld(t);
  await world.use({ tlsCert: world.path('one.pem') });
  await writeFile(world.path('two.pem'), 'rubbish');
  for (const moment of ['start', 'reload'] as const) {
    await assert.rejects(world.use({ tlsCert: world.path('two.pem') }, moment), {
      code: 'certificate-malformed',
      exitCode: 3,
    });
  }
  assert.deepEqual(world.watched, [world.path('one.pem')]);
  assert.equal(world.published.length, 1);
});

test('one that expires while it is served is served on by a reload, and told', async (t) => {
  const world = await makeWorld(t);
  await world.use({ tlsCert: world.path('one.pem') });
  world.nowMs = startMs + 10 * dayMs;
  await world.use({ tlsCert: world.path('one.pem') }, 'reload');
  assert.deepEqual(world.last.securedNames, ['one.test']);
  assert.equal(world.log.all('certificate-rejected').length, 1);
  assert.equal(world.certificates.status()[0]?.state, 'failing');
});

test('an expired one does not keep a site from starting', async (t) => {
  const world = await makeWorld(t);
  world.nowMs = startMs + 10 * dayMs;
  await world.use({ tlsCert: world.path('one.pem') }, 'start');
  assert.deepEqual([world.served, world.last.securedNames], [[[]], []]);
  assert.equal(world.log.all('certificate-rejected').length, 1);
  const [status] = world.certificates.status();
  assert.deepEqual([status?.names, status?.state], [[], 'failing']);
});

test('for development: names of this machine, that nobody is sent to', async (t) => {
  const world = await makeWorld(t);
  await world.use({ https: true });
  assert.ok(world.served[0]?.includes('localhost'));
  assert.deepEqual([world.served.length, world.last.securedNames], [1, []]);
  assert.match(String(world.log.all('local-certificate')[0]?.fields.hint), /local-authority\.crt/);
  await world.use({ https: true }, 'reload');
  assert.equal(world.log.all('local-certificate').length, 1, 'once is enough');
  assert.deepEqual(world.certificates.status(), []);
});

test('a domain without a certificate has a stand-in, and no other name is sent to it', async (t) => {
  const world = await makeWorld(t);
  await world.use({ domains: ['New.test', 'a.wild.test'], tlsCert: world.path('wild.pem'), hsts: 'on' });
  assert.deepEqual(world.served, [['*.wild.test'], ['new.test']], 'a wildcard is as good as the name');
  assert.deepEqual(world.last.securedNames, ['*.wild.test']);
  await world.use({ domains: ['New.test'] }, 'reload');
  assert.deepEqual([world.served, world.last.securedNames], [[['new.test']], []]);
});

test('what earlier orders left in the folder is served from the first moment on', async (t) => {
  const world = await makeWorld(t);
  const folder = new CertificateFolder(world.path('acme'), world.log);
  const kept = await makeIssued(['kept.test'], startMs, 90);
  await folder.writeCertificate(acmeDirectory, kept);
  await world.use({ domains: ['kept.test', 'new.test'] });
  assert.equal(world.published.length, 1);
  assert.deepEqual(world.served, [['kept.test'], ['new.test']]);
  assert.equal(world.last.certificates[0]?.keyPem, kept.keyPem);
  assert.deepEqual(world.last.securedNames, ['kept.test']);
});

test('another folder: what is served goes on until there is something in it', async (t) => {
  const world = await makeWorld(t);
  const folder = new CertificateFolder(world.path('acme'), world.log);
  await folder.writeCertificate(acmeDirectory, await makeIssued(['kept.test'], startMs, 90));
  await world.use({ domains: ['kept.test'] });
  world.certificates.keep();
  await eventually(() => assert.equal(world.certificates.status()[0]?.state, 'valid'));
  // A file in its way: what is ordered could not be kept, so nothing is.
  await writeFile(world.path('blocked'), '');
  await world.use({ domains: ['kept.test'], acmeFolder: world.path('blocked') }, 'reload');
  world.certificates.keep();
  await world.log.seen('certificate-failed');
  assert.deepEqual(world.last.securedNames, ['kept.test']);
});

test('switched off by a reload: nothing is kept any more, and what changes later is not published', async (t) => {
  const world = await makeWorld(t);
  await mkdir(world.path('acme'));
  const folder = new CertificateFolder(world.path('acme'), world.log);
  await folder.writeCertificate(acmeDirectory, await makeIssued(['kept.test'], startMs, 90));
  await world.use({ domains: ['kept.test'], tlsCert: world.path('one.pem') });
  world.certificates.keep();
  await eventually(() => assert.equal(world.certificates.status()[1]?.state, 'valid'));
  await world.use({ domains: ['kept.test'], https: false }, 'reload', undefined);
  world.certificates.keep();
  const count = world.published.length;
  assert.deepEqual([world.watched, world.certificates.status()], [[], []]);
  world.clock.advance(2 * dayMs);
  assert.equal(world.published.length, count);

  await world.use({ domains: ['kept.test'] }, 'reload');
  world.certificates.keep();
  assert.deepEqual(world.last.securedNames, ['kept.test']);
  await eventually(() => assert.equal(world.certificates.status()[0]?.state, 'valid'));
});

test('ticket keys are new each day, for all sites', async (t) => {
  const world = await makeWorld(t);
  await world.use({ tlsCert: world.path('one.pem') });
  world.clock.advance(dayMs);
  await eventually(() => assert.equal(world.published.length, 2));
  assert.notEqual(world.published[0]?.ticketKeys, world.published[1]?.ticketKeys);
});

test('a site that does not take them is told of, and ends nothing', async (t) => {
  const world = await makeWorld(t);
  await world.use({ tlsCert: world.path('one.pem') });
  world.publish = () => Promise.reject(new Error('no answer'));
  world.clock.advance(dayMs);
  const record = await world.log.seen('certificates-not-published');
  assert.equal(record.fields.error, 'no answer');
  await assert.rejects(world.use({ tlsCert: world.path('two.pem') }, 'reload'), /no answer/);
});

test('what is older never comes after what is newer', async (t) => {
  const world = await makeWorld(t);
  await world.use({ tlsCert: world.path('one.pem') });
  const order: string[] = [];
  let release = (): void => {};
  const held = new Promise<void>((resolve) => {
    release = resolve;
  });
  world.publish = async ({ ticketKeys }) => {
    order.push(ticketKeys);
    if (order.length === 1) await held;
  };
  world.clock.advance(2 * dayMs);
  await eventually(() => assert.equal(order.length, 1));
  release();
  await eventually(() => assert.equal(world.published.length, 3));
  assert.deepEqual(
    world.published.slice(1).map(({ ticketKeys }) => ticketKeys),
    order,
  );
});

test('the HSTS ramp: neither a restart nor the wait for a first certificate is a failure, a bad file is', async (t) => {
  const world = await makeWorld(t);
  const since = async () => JSON.parse(await readFile(world.path('hsts.json'), 'utf8')).since;
  await world.use({ domains: ['new.test'], hsts: 'ramp' });
  assert.equal(world.last.hstsMaxAgeSeconds, 3600);
  await assert.rejects(access(world.path('hsts.json')), { code: 'ENOENT' });

  await writeFile(world.path('hsts.json'), JSON.stringify({ since: new Date(startMs - 31 * dayMs) }));
  const restarted = new World(world.root);
  t.after(() => restarted.certificates.stop());
  await restarted.use({ domains: ['new.test'], hsts: 'ramp' });
  assert.equal(restarted.last.hstsMaxAgeSeconds, 365 * 86_400);
  await restarted.use({ tlsCert: restarted.path('one.pem'), hsts: 'ramp' });
  assert.equal(restarted.last.hstsMaxAgeSeconds, 365 * 86_400);

  restarted.nowMs = startMs + 10 * dayMs;
  await restarted.use({ tlsCert: restarted.path('one.pem'), hsts: 'ramp' }, 'start');
  assert.equal(restarted.last.hstsMaxAgeSeconds, 3600, 'it has expired');
  assert.equal(await since(), null);
});

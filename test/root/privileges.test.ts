import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import {
  appendFileSync,
  chmodSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  statSync,
  writeFileSync,
} from 'node:fs';
import { dirname, join } from 'node:path';
import type { TestContext } from 'node:test';
import { copyFixture, makeTempDir } from '../support/copy-fixture.js';
import type { Easyserve } from '../support/easyserve.js';
import { forEachMode, type Mode } from '../support/for-each-mode.js';
import { asShop, giveToShop, inPrivateWorld, shop } from '../support/private-world.js';
import { describeProcess } from '../support/processes.js';
import { easyserveProgram, runEasyserve } from '../support/run-easyserve.js';
import { askSecurely, untilServed, writePair } from '../support/secure-client.js';
import { type StartOptions, startEasyserve } from '../support/start-easyserve.js';
import { makeCertificate } from '../support/tls-material.js';

/** Without what lets the other tests stay root. */
const env = { EASYSERVE_USER: undefined };

const root = await makeCertificate([], { commonName: 'test root', isAuthority: true });
const issue = () => makeCertificate(['127.0.0.1'], { issuer: root });

/** Each process that loads the settings writes down whose it is. */
const journal = `
import pathlib
_who = (os.getresuid(), os.getresgid(), sorted(os.getgroups()), os.environ.get('HOME'), os.environ.get('NOTIFY_SOCKET'))
with open(pathlib.Path(__file__).parent.parent / 'who', 'a') as _journal:
    _journal.write(repr(_who) + '\\n')
INSTALLED_APPS = ['django.contrib.staticfiles', 'minimal']
STATIC_URL = 'static/'
STATIC_ROOT = pathlib.Path(__file__).parent.parent / 'collected'
def _add_headers(headers, path, url):
    headers['X-Asked-As'] = str(os.getresuid())
WHITENOISE_ADD_HEADERS_FUNCTION = _add_headers
`;

/** In the copy of the fixture: `base/site`, where base is root's. */
function prepare(dir: string): void {
  appendFileSync(join(dir, 'minimal', 'settings.py'), journal);
  mkdirSync(join(dir, 'minimal', 'static'));
  writeFileSync(join(dir, 'minimal', 'static', 'a.css'), 'a {}');
  giveToShop(dirname(dir));
}

function start(t: TestContext, mode: Mode, more: Partial<StartOptions> = {}): Promise<Easyserve> {
  const fixture = 'django-minimal';
  return startEasyserve(t, { mode, fixture, prepare, env: { ...env, NOTIFY_SOCKET: '/nowhere' }, ...more });
}

/** Every process of the instance, the supervisor itself among them, has the user's ids and groups and no capability. */
function expectUnprivileged(easyserve: Easyserve): void {
  const pids = easyserve.processes();
  assert.ok(pids.includes(easyserve.pid));
  for (const pid of pids) {
    const status = readFileSync(`/proc/${pid}/status`, 'utf8');
    const field = (name: string) =>
      new RegExp(`^${name}:\\s*(.*?)\\s*$`, 'm').exec(status)?.[1]?.split(/\s+/);
    const who = describeProcess(pid);
    assert.deepEqual(field('Uid'), Array(4).fill(String(shop.uid)), who);
    assert.deepEqual(field('Gid'), Array(4).fill(String(shop.gid)), who);
    assert.deepEqual(field('Groups')?.map(Number).sort(), [shop.gid, shop.media], who);
    for (const set of ['CapEff', 'CapPrm', 'CapInh', 'CapAmb'])
      assert.match(field(set)?.[0] ?? '', /^0+$/, `${who} ${set}`);
  }
}

function expectOwned(folder: string): void {
  const paths = [
    folder,
    ...readdirSync(folder, { recursive: true, encoding: 'utf8' }).map((name) => join(folder, name)),
  ];
  assert.ok(paths.length > 1, folder);
  for (const path of paths) assert.equal(statSync(path).uid, shop.uid, path);
}

/** What he gets to read. */
async function shopTypes(dir: string, ...args: readonly string[]): Promise<string> {
  const { code, stdout, stderr } = await runEasyserve(args, {
    cwd: dir,
    env,
    program: asShop(easyserveProgram),
  });
  assert.equal(code, 0, stderr);
  return stdout;
}

inPrivateWorld(import.meta.url, () => {
  // What root's own groups may open, the application may not.
  process.setgroups?.([0, 4, 27]);

  forEachMode(['single', 'cluster'], (mode, testIn) => {
    testIn('root binds port 80, and everything runs as the owner of the folder', async (t) => {
      const easyserve = await start(t, mode, { args: ['--port', '80'] });
      const { dir } = easyserve;
      assert.equal(easyserve.url, 'http://127.0.0.1/');
      assert.equal(await (await fetch(easyserve.url)).text(), 'Hello, world!\n');
      expectUnprivileged(easyserve);
      expectOwned(join(dir, '.easyserve'));
      expectOwned(join(dir, 'collected'));
      const { headers } = await fetch(easyserve.at('static/a.css'));
      assert.equal(headers.get('x-asked-as'), `(${Array(3).fill(shop.uid).join(', ')})`);

      assert.equal((await easyserve.cli('reload')).code, 0);
      await shopTypes(dir, 'reload');
      assert.equal((await easyserve.cli('restart')).code, 0);
      expectUnprivileged(easyserve);
      assert.equal((await fetch(easyserve.url)).status, 200);
      assert.match(await shopTypes(dir, 'status'), /http:\/\/127\.0\.0\.1\//);
      assert.match((await easyserve.cli('status')).stdout, /http:\/\/127\.0\.0\.1\//);

      const ids = Array(3).fill(shop.uid).join(', ');
      const line = `((${ids}), (${ids}), [${shop.gid}, ${shop.media}], '${shop.home}', None)`;
      const written = readFileSync(join(dir, 'who'), 'utf8').trim().split('\n');
      assert.ok(
        written.length >= 13,
        'inspections, collectstatic, functions of WhiteNoise and applications of four loads',
      );
      assert.deepEqual(new Set(written), new Set([line]));
      await shopTypes(dir, 'stop');
    });

    testIn(
      'root binds 80 and 443, and the certificate is read, renewed and served by the owner',
      async (t) => {
        const [first, renewed] = await Promise.all([issue(), issue()]);
        let pair = { cert: '', key: '' };
        const easyserve = await start(t, mode, {
          inFile: true,
          settings: { port: 80, httpsPort: 443, tls: { cert: 'tls/site.pem', key: 'tls/site.key' } },
          prepare: (dir) => {
            mkdirSync(join(dir, 'tls'), { mode: 0o700 });
            pair = writePair(join(dir, 'tls'), 'site', first);
            prepare(dir);
          },
        });
        const ca = root.certificatePem;
        const expectServed = async () => {
          const { status, text } = await askSecurely(443, '/', { host: '127.0.0.1', ca });
          assert.deepEqual([status, text], [200, 'Hello, world!\n']);
          const { status: sent, headers } = await fetch('http://127.0.0.1/a?b', { redirect: 'manual' });
          assert.deepEqual([sent, headers.get('location')], [308, 'https://127.0.0.1/a?b']);
          expectUnprivileged(easyserve);
        };
        assert.equal(easyserve.url, 'https://127.0.0.1/');
        await expectServed();
        expectOwned(join(easyserve.dir, '.easyserve'));

        // As a hook of certbot does it (docs/https.md).
        const fresh = writePair(makeTempDir(t), 'site', renewed);
        for (const kind of ['key', 'cert'] as const) {
          const ids = [`--owner=${shop.uid}`, `--group=${shop.gid}`, '--mode=400'];
          execFileSync('install', [...ids, fresh[kind], pair[kind]]);
        }
        await untilServed(443, '127.0.0.1', renewed);
        assert.equal((await easyserve.cli('reload')).code, 0);
        assert.equal((await easyserve.cli('restart')).code, 0);
        await expectServed();
        await untilServed(443, '127.0.0.1', renewed);
      },
    );

    testIn('a key that only root may read ends the start, with the way out', async (t) => {
      const dir = copyFixture('django-minimal', join(makeTempDir(t), 'site'));
      giveToShop(dirname(dir));
      const { cert, key } = writePair(makeTempDir(t), 'site', await issue());
      chmodSync(dirname(key), 0o755);
      const flags = ['--port', '80', '--set', `tls.cert=${cert}`, '--set', `tls.key=${key}`];
      const processes = mode === 'single' ? '1' : '2';
      const { code, stderr } = await runEasyserve(['start', '--processes', processes, ...flags], {
        cwd: dir,
        env,
      });
      assert.equal(code, 3, stderr);
      assert.match(stderr, /site\.key cannot be read: this user may not read it/);
      assert.match(stderr, new RegExp(`fix: .*sudo install -o ${shop.uid} -m 400 ${key} FOLDER`));
    });

    testIn('a port that only root may bind stays where it is when the address changes', async (t) => {
      const easyserve = await start(t, mode, { inFile: true, settings: { port: 80, watch: false } });
      easyserve.writeSettings({ host: '0.0.0.0' });
      assert.equal((await easyserve.cli('restart')).code, 0);
      await easyserve.waitFor('address-stays');
      assert.equal((await fetch(easyserve.url)).status, 200);
      expectUnprivileged(easyserve);
    });
  });
});

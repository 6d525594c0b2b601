import assert from 'node:assert/strict';
import { execFileSync, spawnSync } from 'node:child_process';
import {
  appendFileSync,
  lstatSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { copyFixture } from '../support/copy-fixture.js';
import { forEachMode } from '../support/for-each-mode.js';
import { inPrivateWorld, shop } from '../support/private-world.js';
import { testPython } from '../support/python-env.js';
import { type CommandResult, easyserveBin, runEasyserve } from '../support/run-easyserve.js';

/** The usual cheap server: root, a folder of root's in a folder that nobody else may enter, a umask of 077. */

const timeout = 240_000;
const env = { EASYSERVE_USER: undefined };

const more = `
INSTALLED_APPS = ['django.contrib.staticfiles', 'django.contrib.auth', 'django.contrib.contenttypes', 'django.contrib.sessions']
STATIC_URL = 'static/'
STATIC_ROOT = BASE_DIR / 'collected'
MEDIA_ROOT = BASE_DIR / 'media'
MEDIA_URL = 'media/'
SECRET_KEY = (BASE_DIR / '.env').read_text()
DATABASES = {'default': {'ENGINE': 'django.db.backends.sqlite3', 'NAME': BASE_DIR / 'db.sqlite3'}}
LOGGING = {'version': 1, 'disable_existing_loggers': False,
  'handlers': {'file': {'class': 'logging.FileHandler', 'filename': str(BASE_DIR / 'logs' / 'site.log')}},
  'root': {'handlers': ['file'], 'level': 'INFO'}}
`;

/** One that writes: a session, a file in MEDIA_ROOT, a line of the log. */
const view = `
import logging, pathlib
from django.conf import settings
from django.contrib.sessions.backends.db import SessionStore
from django.http import HttpResponse
from django.urls import path
def write(request):
    SessionStore().create()
    (pathlib.Path(settings.MEDIA_ROOT) / 'a.txt').write_text('a')
    logging.getLogger('site').info('written')
    return HttpResponse('written by %d' % __import__('os').getuid())
def replace(request):
    path = settings.BASE_DIR / 'manage.py'
    path.rename(settings.BASE_DIR / 'other.py')
    return HttpResponse('replaced')
urlpatterns = [path('', write), path('replace', replace)]
`;

function makeProject(name: string): string {
  const dir = join('/srv', name, 'site');
  mkdirSync(dir, { recursive: true });
  copyFixture('django-minimal', dir);
  const settings = readFileSync(join(dir, 'minimal', 'settings.py'), 'utf8');
  const base = settings.includes('BASE_DIR')
    ? ''
    : 'import pathlib\nBASE_DIR = pathlib.Path(__file__).parent.parent\n';
  appendFileSync(join(dir, 'minimal', 'settings.py'), `${base}${more}`);
  writeFileSync(join(dir, 'minimal', 'urls.py'), view);
  writeFileSync(join(dir, '.env'), 'a'.repeat(60));
  mkdirSync(join(dir, 'logs'));
  const run = spawnSync(testPython(), ['manage.py', 'migrate'], { cwd: dir, encoding: 'utf8' });
  assert.equal(run.status, 0, run.stderr);
  execFileSync('chmod', ['-R', 'go=', join('/srv', name)]);
  return dir;
}

/** Owner, group and mode of everything, by path. */
function rightsOf(folder: string): ReadonlyMap<string, string> {
  const paths = readdirSync(folder, { recursive: true, encoding: 'utf8' }).filter(
    (path) => !path.includes('__pycache__'),
  );
  return new Map(
    ['.', ...paths].map((path) => {
      const { uid, gid, mode } = lstatSync(join(folder, path));
      return [path, `${uid}:${gid} ${mode.toString(8)}`];
    }),
  );
}

async function ok(dir: string, ...args: readonly string[]): Promise<CommandResult> {
  const result = await runEasyserve(args, { cwd: dir, env, timeoutMs: timeout });
  assert.equal(result.code, 0, `${args.join(' ')}: ${result.stdout}${result.stderr}`);
  return result;
}

inPrivateWorld(
  import.meta.url,
  () => {
    forEachMode(['single', 'cluster'], (mode, testIn) => {
      testIn('what the refused start says is typed, the site writes, and is disowned again', async (t) => {
        const dir = makeProject(mode);
        t.after(() => runEasyserve(['stop'], { cwd: dir, env }));
        const before = rightsOf(join('/srv', mode));
        const passwd = readFileSync('/etc/passwd', 'utf8');
        const refused = await runEasyserve(['start'], { cwd: dir, env });
        const [, line = ''] = /fix: easyserve (adopt \S+), which/.exec(refused.stderr) ?? [];
        const adopted = await ok(dir, ...line.split(' '));
        const user = `easyserve-${mode}`;
        assert.match(adopted.stdout, new RegExp(`^The user ${user} was made, and has ${dir}`));
        // On Debian there is no `python`, and a shell of root's has not the project's environment.
        assert.match(
          adopted.stdout,
          new RegExp(`^manage   runuser -u ${user} -- ${testPython()} manage.py`, 'm'),
        );
        const again = await ok(dir, 'adopt');
        assert.doesNotMatch(again.stdout, /^ +(?:made|given|shared|to )/m);
        assert.doesNotMatch((await ok(dir, 'check')).stdout, /not-writable/);

        const processes = ['--processes', mode === 'single' ? '1' : '2'];
        const { stdout } = await ok(
          dir,
          'start',
          '--daemon',
          '--host',
          '127.0.0.1',
          '--port',
          '80',
          ...processes,
        );
        assert.match(stdout, /http:\/\/127\.0\.0\.1\//);
        const { uid } = statSync(join(dir, '.easyserve'));
        assert.notEqual(uid, 0);
        for (const action of ['reload', 'restart']) await ok(dir, action);
        assert.equal(await (await fetch('http://127.0.0.1/')).text(), `written by ${uid}`);
        assert.equal((await fetch('http://127.0.0.1/replace')).status, 500);
        assert.match(readFileSync(join(dir, 'logs', 'site.log'), 'utf8'), /written/);
        // By root, while it runs.
        execFileSync(testPython(), ['manage.py', 'migrate', '--check'], { cwd: dir });

        const busy = await runEasyserve(['disown'], { cwd: dir, env });
        assert.deepEqual(
          [busy.code, /fix: easyserve stop/.test(busy.stderr)],
          [7, true],
          busy.stdout + busy.stderr,
        );
        await ok(dir, 'stop');
        // Without getent nothing says whether the user is there still, so it is not forgotten.
        const blind = await runEasyserve(['disown'], { cwd: dir, env: { ...env, PATH: '/nowhere' } });
        assert.match(blind.stderr, new RegExp(`getent does not say whether there is a user ${user}`));
        const disowned = await ok(dir, 'disown');
        assert.match(
          disowned.stdout,
          new RegExp(`^The user ${user} is removed, and ${dir} is root's as before`),
        );
        const after = rightsOf(join('/srv', mode));
        for (const [path, rights] of before) assert.equal(after.get(path), rights, path);
        for (const [path, rights] of after) assert.match(rights, /^0:0 /, path);
        assert.equal(readFileSync('/etc/passwd', 'utf8'), passwd);
        assert.deepEqual(
          readdirSync('/var/lib').filter((name) => name.startsWith('easyserve-')),
          [],
        );
        assert.match((await ok(dir, 'disown')).stdout, /^No user has adopted/);
      });
    });

    test('below a linked folder a project has one folder for its state', { timeout }, async () => {
      const dir = makeProject('parent');
      symlinkSync('/srv/parent', '/srv/way');
      await ok(dir, 'adopt', '/srv/way/site');
      assert.deepEqual(readdirSync('/srv/parent'), ['site']);
      await ok(dir, 'disown', '/srv/way/site');
    });

    test('a link that was turned between two adoptions is disowned once', { timeout }, async () => {
      const dir = makeProject('turned');
      const next = '/srv/turned/next';
      execFileSync('cp', ['-a', dir, next]);
      const before = rightsOf('/srv/turned');
      const link = '/srv/turned/current';
      for (const release of [dir, next]) {
        execFileSync('ln', ['-sfn', release, link]);
        await ok(dir, 'adopt', link);
      }
      assert.match((await ok(dir, 'disown', link)).stdout, /is removed/);
      const after = rightsOf('/srv/turned');
      for (const [path, rights] of before) assert.equal(after.get(path), rights, path);
      assert.match((await ok(dir, 'disown', link)).stdout, /^No user has adopted/);
    });

    test('a Node.js that changes no user is named before anything is made', { timeout }, async () => {
      const dir = makeProject('kept');
      const passwd = readFileSync('/etc/passwd', 'utf8');
      const before = rightsOf('/srv/kept');
      const refusal = `
        for (const name of ['setuid', 'seteuid', 'setgid', 'setegid', 'setgroups', 'initgroups'])
          process[name] = () => { throw Object.assign(new Error('disabled'), { code: 'ERR_INVALID_STATE' }); };
      `;
      const program = [
        process.execPath,
        `--import=data:text/javascript,${encodeURIComponent(refusal)}`,
        easyserveBin,
      ];
      for (const args of [['adopt'], ['check', '--user', 'shop'], ['start', '--set', 'user=shop']]) {
        const { code, stdout, stderr } = await runEasyserve(args, { cwd: dir, env, program });
        assert.equal(code, 3, stderr);
        assert.match(`${stdout}${stderr}`, /Root can't become another user with this Node\.js, v/);
        assert.match(`${stdout}${stderr}`, /fix: npm install --global node@22/);
      }
      // Needs no other user.
      const { stderr } = await runEasyserve(['status'], { cwd: dir, env, program });
      assert.match(stderr, /^easyserve: No instance is running/);
      assert.equal(readFileSync('/etc/passwd', 'utf8'), passwd);
      assert.deepEqual(rightsOf('/srv/kept'), before);
    });

    test('check tries as another user would, who can be given the folder', { timeout }, async () => {
      const dir = makeProject('named');
      const closed = await runEasyserve(['check', '--user', shop.name], { cwd: dir, env });
      assert.equal(closed.code, 4, closed.stdout);
      assert.match(closed.stdout, /The folder \S+ cannot be entered\./);
      execFileSync('chmod', ['-R', 'go+rX', '/srv/named']);
      // What the settings open by themselves is found by the import.
      const blind = await runEasyserve(['check', '--user', shop.name], { cwd: dir, env });
      assert.deepEqual(
        [blind.code, /Permission denied: \S+site\.log/.test(blind.stdout)],
        [4, true],
        blind.stdout,
      );
      execFileSync('chown', ['-R', shop.name, join(dir, 'logs')]);
      const { code, stdout } = await runEasyserve(['check', '--user', shop.name, '--json'], {
        cwd: dir,
        env,
      });
      assert.equal(code, 10);
      const { findings } = JSON.parse(stdout) as {
        findings: { name: string; message: string; fix: string }[];
      };
      const found = findings.filter(({ name }) => name === 'not-writable');
      const fix = `easyserve adopt ${dir} --user shop`;
      assert.deepEqual(found, [
        ...['the database', 'MEDIA_ROOT', 'STATIC_ROOT'].map((name) => {
          const file = { 'the database': 'db.sqlite3', MEDIA_ROOT: 'media', STATIC_ROOT: 'collected' }[name];
          const path = join(dir, file ?? '');
          const where = name === 'the database' ? '' : ` in ${dir}`;
          const message = `The user shop may not write ${name} ${path}${where} (EACCES).`;
          return { name: 'not-writable', severity: 'error', message, fix };
        }),
      ]);
      await ok(dir, 'adopt', '--user', 'shop');
      assert.doesNotMatch((await ok(dir, 'check')).stdout, /not-writable/);
      assert.match((await ok(dir, 'disown')).stdout, /^The user shop stays; /);
      assert.match(readFileSync('/etc/passwd', 'utf8'), /^shop:/m);
    });
  },
  { hasOwnUsers: true },
);

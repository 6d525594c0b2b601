import assert from 'node:assert/strict';
import {
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { join } from 'node:path';
import { type TestContext, test } from 'node:test';
import { parseCommandLine } from '../../../../src/cli/program.js';
import { UnitFolder } from '../../../../src/cli/systemd/unit-folder.js';
import { unitName } from '../../../../src/cli/systemd/unit-name.js';
import { install } from '../../../../src/cli/verbs/install.js';
import { uninstall } from '../../../../src/cli/verbs/uninstall.js';
import { copyFixture, makeTempDir } from '../../../support/copy-fixture.js';
import { testVirtualEnv } from '../../../support/python-env.js';
import { makeContext } from '../recording-context.js';

const application =
  'def application(environ, start_response):\n    start_response("200 OK", [])\n    return []\n';

interface World {
  readonly project: string;
  readonly units: string;
  readonly calls: string[];
  /** Set where the commands are typed. */
  readonly env: Record<string, string | undefined>;
  /** Resolves with what was printed. */
  install(...args: readonly string[]): Promise<string>;
  uninstall(...args: readonly string[]): Promise<string>;
}

function makeWorld(
  t: TestContext,
  { isRunning = true, units = makeTempDir(t), status = 0, systemd = 252 } = {},
): World {
  const project = join(makeTempDir(t), 'shop');
  mkdirSync(project);
  writeFileSync(join(project, 'app.py'), application);
  const calls: string[] = [];
  const env: World['env'] = { VIRTUAL_ENV: testVirtualEnv() };
  const folder = new UnitFolder(units, isRunning ? units : join(units, 'gone'), (args) => {
    if (args[0] === '--version') return { status: 0, output: `systemd ${systemd} (${systemd}.1-1)\n+PAM\n` };
    calls.push(args.join(' '));
    return { status, output: 'what systemctl said\n' };
  });
  const type = (...argv: readonly string[]) => {
    const context = makeContext(project);
    Object.assign(context.env, env);
    return { context, command: parseCommandLine(argv, '1.2.3') };
  };
  return {
    project,
    units,
    calls,
    env,
    async install(...args) {
      const { command, context } = type('install', ...args);
      if (command.verb === 'install') assert.equal(await install(command, context, folder), 0);
      return context.stdout.text;
    },
    async uninstall(...args) {
      const { command, context } = type('uninstall', ...args);
      if (command.verb === 'uninstall') assert.equal(await uninstall(command, context, folder), 0);
      return context.stdout.text;
    },
  };
}

test('install writes the service once, says what it may do, and enables it', async (t) => {
  const world = makeWorld(t);
  const said = await world.install('--port', '8080', '--set', 'drainTimeoutMs=90000');
  const unit = join(world.units, 'easyserve-shop.service');
  assert.match(said, /easyserve-shop\.service: created\n/);
  assert.match(said, /writes {4}.*\/shop\/\.easyserve; the rest/);
  assert.match(said, /systemctl restart easyserve-shop\.service/);
  assert.deepEqual(world.calls, ['daemon-reload', 'enable easyserve-shop.service']);
  assert.ok(existsSync(join(world.project, '.easyserve')));
  const text = readFileSync(unit, 'utf8');
  assert.match(
    text,
    /^ExecStart=.* start .*\/shop --port=8080 --set=drainTimeoutMs=90000 --set=python=\S+$/m,
  );
  assert.match(text, /^TimeoutStopSec=11\d$/m);

  assert.equal(
    await world.install('--port', '8080', '--set', 'drainTimeoutMs=90000'),
    `${unit}: unchanged\n`,
  );
  assert.match(await world.install('--port', '8081'), /easyserve-shop\.service: changed\n/);
});

test('with --socket systemd binds, and the service needs no right; without it again the socket is removed', async (t) => {
  const world = makeWorld(t);
  const said = await world.install('--socket', '--host', '::1', '--name', 'web.service');
  assert.match(said, /systemd binds 80 \(http\)/);
  assert.deepEqual(readdirSync(world.units).sort(), ['web-http.socket', 'web.service']);
  const service = readFileSync(join(world.units, 'web.service'), 'utf8');
  assert.match(service, /^AmbientCapabilities=$/m);
  assert.match(service, /^Requires=web-http\.socket$/m);
  assert.match(readFileSync(join(world.units, 'web-http.socket'), 'utf8'), /^ListenStream=\[::1\]:80$/m);

  world.calls.length = 0;
  assert.match(await world.install('--name', 'web'), /web-http\.socket: removed\n/);
  assert.deepEqual(readdirSync(world.units), ['web.service']);
  assert.deepEqual(world.calls, ['disable --now web-http.socket', 'daemon-reload', 'enable web.service']);
});

test('where systemd does not run, what to type is said', async (t) => {
  const world = makeWorld(t, { isRunning: false });
  const said = await world.install();
  assert.match(said, /sudo systemctl daemon-reload\n {2}sudo systemctl enable easyserve-shop\.service\n/);
  assert.deepEqual(world.calls, []);
});

test('uninstall stops the service and removes it; twice is no error', async (t) => {
  const world = makeWorld(t);
  await world.install('--socket');
  world.calls.length = 0;
  assert.match(await world.uninstall(), /easyserve-shop\.service: removed\n/);
  assert.deepEqual(world.calls, [
    'disable --now easyserve-shop.service easyserve-shop-http.socket',
    'daemon-reload',
  ]);
  assert.deepEqual(readdirSync(world.units), []);
  assert.match(await world.uninstall(), /There is no easyserve-shop\.service/);
});

test('a unit that somebody else wrote is left alone', async (t) => {
  const world = makeWorld(t);
  const unit = join(world.units, 'nginx.service');
  writeFileSync(unit, '[Service]\n');
  await assert.rejects(world.install('--name', 'nginx'), { code: 'unit-foreign' });
  await assert.rejects(world.uninstall('--name', 'nginx'), { code: 'unit-foreign' });
  assert.equal(readFileSync(unit, 'utf8'), '[Service]\n');
  assert.deepEqual(world.calls, []);
});

test('a folder that cannot be written, and a systemctl that fails, are named', async (t) => {
  const missing = makeWorld(t, { units: join(makeTempDir(t), 'gone') });
  await assert.rejects(missing.install(), { code: 'install-not-permitted', hint: /sudo easyserve install/ });
  const failing = makeWorld(t, { status: 1 });
  await assert.rejects(failing.install(), { code: 'systemctl-failed', detail: 'what systemctl said' });
});

test('a name that is none for a unit is refused', async (t) => {
  const world = makeWorld(t);
  for (const name of ['a/b', '', 'a@b', 'a:b', '-x', 'a b']) {
    await assert.rejects(world.install(`--name=${name}`), { code: 'unit-name' }, name);
  }
});

test('each folder has units of its own, whatever its name: a name that is taken gets a number', async (t) => {
  const first = makeWorld(t);
  await first.install('--port', '8080', '--socket');
  const second = makeWorld(t, { units: first.units });
  assert.match(await second.uninstall(), /There is no easyserve-shop-2\.service/);
  assert.match(await second.install('--port', '8081'), /easyserve-shop-2\.service: created/);
  assert.match(await second.install('--port', '8081'), /easyserve-shop-2\.service: unchanged/);
  assert.match(readFileSync(join(first.units, 'easyserve-shop.service'), 'utf8'), /--port=8080/);
  for (const name of ['easyserve-shop', 'easyserve-shop.service']) {
    await assert.rejects(second.install('--port', '8081', '--name', name), {
      code: 'unit-foreign',
      message: new RegExp(`belongs to another folder: ${first.project}`),
    });
  }
  assert.match(await first.uninstall(), /easyserve-shop\.service: removed/);
  assert.match(await second.uninstall(), /easyserve-shop-2\.service: removed/);
  assert.deepEqual(readdirSync(first.units), []);
});

test('the unit of a folder is found again by the name that it was given', async (t) => {
  const world = makeWorld(t);
  await world.install('--name', 'web');
  assert.match(await world.install(), /web\.service: unchanged/);
  assert.match(await world.uninstall(), /web\.service: removed/);
});

test('a folder has one service: another name is refused, and nothing is written', async (t) => {
  const world = makeWorld(t);
  await world.install('--name', 'web');
  await assert.rejects(world.install('--name', 'shop'), {
    code: 'unit-other-name',
    message: /web\.service/,
    hint: /uninstall --name web/,
  });
  assert.deepEqual(readdirSync(world.units), ['web.service']);
  await world.uninstall();
  assert.match(await world.install('--name', 'shop'), /shop\.service: created/);
});

test('a further install keeps the file of variables, unless it is told otherwise', async (t) => {
  const world = makeWorld(t);
  const file = join(world.project, 'a 100% shop.env');
  writeFileSync(file, 'SHOP_KEY=secret\n', { mode: 0o600 });
  await world.install('--env-file', file);
  assert.match(await world.install(), /easyserve-shop\.service: unchanged/);
  assert.match(await world.install('--without-env'), /easyserve-shop\.service: changed/);
  assert.doesNotMatch(readFileSync(join(world.units, 'easyserve-shop.service'), 'utf8'), /EnvironmentFile/);
});

test('a service may make its Unix socket; with --socket systemd makes the file as we would', async (t) => {
  const world = makeWorld(t);
  const rights = ['--set', 'socketMode=0660', '--set', 'socketGroup=www-data'];
  await world.install('--socket', '--host', 'unix:/run/shop/site.sock', ...rights);
  const socket = readFileSync(join(world.units, 'easyserve-shop-http.socket'), 'utf8');
  const user = /^User=(.*)$/m.exec(readFileSync(join(world.units, 'easyserve-shop.service'), 'utf8'))?.[1];
  assert.match(socket, /^ListenStream=\/run\/shop\/site\.sock$/m);
  assert.match(socket, /^SocketMode=0660$/m);
  assert.match(socket, new RegExp(`^SocketUser=${user}$`, 'm'));
  assert.match(socket, /^SocketGroup=www-data$/m);
  assert.match(socket, /^RemoveOnStop=yes$/m);
  const service = () => readFileSync(join(world.units, 'easyserve-shop.service'), 'utf8');
  assert.doesNotMatch(service(), /RuntimeDirectory|ReadWritePaths=.*\/run/);
  await world.install('--host', 'unix:/run/shop/site.sock');
  assert.match(service(), /^RuntimeDirectory=shop$/m);
  await world.install('--host', 'unix:/srv/sockets/site.sock');
  assert.match(service(), /^ReadWritePaths=.*-\/srv\/sockets/m);
  assert.doesNotMatch(service(), /RuntimeDirectory/);
  await world.install('--socket', '--host', '127.0.0.1');
  const ofPort = readFileSync(join(world.units, 'easyserve-shop-http.socket'), 'utf8');
  assert.doesNotMatch(ofPort, /SocketMode|SocketUser|RemoveOnStop/);
});

test('folders that every site has are named by the one above', (t) => {
  const folder = new UnitFolder(makeTempDir(t));
  const names = Object.entries({
    '/srv/shop/current': 'easyserve-shop',
    '/home/anna/blog/src': 'easyserve-blog',
    '/srv/app': 'easyserve-app',
    '/var/www/site': 'easyserve-site',
    '/srv/my shop': 'easyserve-my-shop',
  });
  for (const [path, name] of names) assert.equal(unitName(path, undefined, folder), name);
});

test('a unit of a folder of releases names nothing of the release that it was written for', async (t) => {
  const world = makeWorld(t);
  const base = join(world.project, '..');
  mkdirSync(join(base, 'releases'));
  renameSync(world.project, join(base, 'releases', '1'));
  symlinkSync('releases/1', world.project);
  await world.install('--set', `acmeFolder=${join(base, 'releases', '1', 'certificates')}`);
  const text = readFileSync(join(world.units, 'easyserve-shop.service'), 'utf8');
  assert.doesNotMatch(text, /releases\/1/);
  const paths = /^ReadWritePaths=(.*)$/m.exec(text)?.[1]?.split(' ');
  assert.deepEqual(paths, [`-${join(base, '.easyserve-shop')}`, `-${join(base, 'releases')}`]);
});

test('no start is ever refused for the number of those before it; a crash loop slows down', async (t) => {
  const world = makeWorld(t);
  const printed = await world.install('--print');
  assert.match(printed, /^StartLimitIntervalSec=0$/m);
  assert.doesNotMatch(printed, /RestartSteps/); // which systemd 252 does not know
  const later = await makeWorld(t, { systemd: 254 }).install('--print');
  assert.match(later, /^StartLimitIntervalSec=0$/m);
  assert.match(later, /^RestartSec=2\nRestartSteps=5\nRestartMaxDelaySec=30$/m);
});

/** Loaded by names, and as a whole, which tells nothing. */
const readingApplication = `import os
dict(os.environ)
os.environ.copy()
[value for name, value in os.environ.items()]
os.getenv('SHOP_SECRET')
'SHOP_FLAG' in os.environ
os.environ.get('SHOP_UNSET')
for line in open('.env'):
    os.environ.setdefault(*line.strip().split('=', 1))
os.environ['SHOP_IN_FILE']
${application}`;

test('variables that the application reads and that are set here alone are named, and kept in a file when told so', async (t) => {
  const world = makeWorld(t);
  writeFileSync(join(world.project, 'app.py'), readingApplication);
  writeFileSync(join(world.project, '.env'), 'SHOP_IN_FILE=1\n');
  const env = {
    SHOP_SECRET: 'a "secret"',
    SHOP_FLAG: '1',
    SHOP_OTHER: 'x',
    SHOP_IN_FILE: '2',
    PGPASSWORD: 'pg',
  };
  Object.assign(world.env, env);
  await assert.rejects(world.install(), {
    code: 'environment-missing',
    message:
      'PGPASSWORD, SHOP_FLAG, SHOP_SECRET are set here and read by the application, and would be missing at boot.',
    hint: /^--save-env \/etc\/easyserve-shop\.env writes them there/,
  });
  assert.deepEqual(readdirSync(world.units), []);
  await assert.rejects(world.install('--env-file', 'shop.env'), { code: 'environment-file' });
  await world.install('--save-env', 'shop.env');
  const file = join(world.project, 'shop.env');
  const unit = readFileSync(join(world.units, 'easyserve-shop.service'), 'utf8');
  assert.match(unit, new RegExp(`^EnvironmentFile=${file}$`, 'm'));
  assert.doesNotMatch(unit, /secret/);
  assert.equal(readFileSync(file, 'utf8'), 'PGPASSWORD="pg"\nSHOP_FLAG="1"\nSHOP_SECRET="a \\"secret\\""\n');
  assert.equal(statSync(file).mode & 0o777, 0o600);

  writeFileSync(file, 'SHOP_FLAG=1\n');
  await assert.rejects(world.install('--env-file', 'shop.env'), {
    message: /^PGPASSWORD, SHOP_SECRET are/,
    hint: `add them to ${file}, or --without-env`,
  });
  assert.match(await world.install('--without-env'), /service: changed/);
});

test('without such variables nothing is asked for', async (t) => {
  const world = makeWorld(t);
  Object.assign(world.env, {
    HOME: '/root',
    TERM: 'xterm',
    PATH: process.env.PATH,
    SHOP_OTHER: 'x',
    LANG: 'C',
  });
  assert.match(await world.install(), /service: created/);
});

test('the settings module of this shell is in the unit, unless a file or a setting says it at boot', async (t) => {
  const world = makeWorld(t);
  rmSync(join(world.project, 'app.py'));
  copyFixture('django-minimal', world.project);
  writeFileSync(join(world.project, 'minimal', 'production.py'), 'from .settings import *\n');
  writeFileSync(join(world.project, 'shop.env'), 'DJANGO_SETTINGS_MODULE=minimal.production\n', {
    mode: 0o600,
  });
  const modules = () =>
    readFileSync(join(world.units, 'easyserve-shop.service'), 'utf8').match(/--set=settingsModule=\S+/g);
  const named = ['--set=settingsModule=minimal.production'];
  await world.install();
  assert.equal(modules(), null);
  world.env.DJANGO_SETTINGS_MODULE = 'minimal.production';
  await world.install();
  assert.deepEqual(modules(), named);
  await world.install('--set', 'settingsModule=minimal.production');
  assert.deepEqual(modules(), named);
  await world.install('--env-file', 'shop.env');
  assert.equal(modules(), null);
});

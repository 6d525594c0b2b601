import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { once } from 'node:events';
import {
  chmodSync,
  existsSync,
  linkSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { createServer } from 'node:net';
import { join } from 'node:path';
import { type TestContext, test } from 'node:test';
import { copyFixture, makeTempDir } from '../support/copy-fixture.js';
import { forEachMode } from '../support/for-each-mode.js';
import { giveToShop, inPrivateWorld, shop } from '../support/private-world.js';
import { type CommandResult, runEasyserve } from '../support/run-easyserve.js';
import { startEasyserve } from '../support/start-easyserve.js';

/** What a user may put into his folder, for root to stumble over. */

const secret = 'hunter2-of-root';
const env = { EASYSERVE_USER: undefined, TOKEN_OF_ROOT: secret };
/** Nothing may wait for a writer or a reader that never comes. */
const timeout = 60_000;

function type(dir: string, ...args: readonly string[]): Promise<CommandResult> {
  return runEasyserve(args, { cwd: dir, env, timeoutMs: 30_000 });
}

/** A project of the user in a folder of root's. */
function makeProject(t: TestContext, fixture: 'wsgi-hello' | 'node-hello' = 'wsgi-hello'): string {
  const base = makeTempDir(t);
  chmodSync(base, 0o755);
  const dir = copyFixture(fixture, join(base, 'site'));
  giveToShop(dir);
  const inTmp = join('/tmp', `easyserve-${shop.uid}`);
  t.after(() => rmSync(inTmp, { recursive: true, force: true }));
  return dir;
}

/** A file that only root may read, in a folder that everybody may enter. */
function makeSecret(t: TestContext, text: string): string {
  const folder = mkdtempSync('/tmp/es-root-');
  t.after(() => rmSync(folder, { recursive: true, force: true }));
  chmodSync(folder, 0o755);
  const path = join(folder, 'private');
  writeFileSync(path, text, { mode: 0o600 });
  return path;
}

function makeFifo(path: string): void {
  execFileSync('mkfifo', [path]);
  giveToShop(path);
}

const verbs = [
  ['start', '--port', '0'],
  ['start', '--daemon', '--port', '0'],
  ['check', '--port', '0'],
  ['config'],
  ['install', '--print'],
];

async function expectSilent(
  dir: string,
  reason: RegExp,
  typed: readonly (readonly string[])[] = verbs,
): Promise<void> {
  for (const verb of typed) {
    const { code, stdout, stderr } = await type(dir, ...verb);
    const said = `${verb.join(' ')}: ${stdout}${stderr}`;
    assert.equal(code, 3, said);
    assert.doesNotMatch(said, new RegExp(secret));
    assert.match(said, reason);
  }
}

inPrivateWorld(import.meta.url, () => {
  for (const [name, text] of [
    ['easyserve.toml', `password = "${secret}"\n`],
    ['easyserve.toml', `root:${secret}:19000:0:99999:7:::\n`],
    ['easyserve.yaml', `${secret}: {\n`],
    ['easyserve.json', `{"${secret}": 1}`],
  ] as const) {
    test(`${name} that leads to a file of root's: nothing of ${JSON.stringify(text.slice(0, 10))}… is repeated`, {
      timeout,
    }, async (t) => {
      const dir = makeProject(t);
      const target = makeSecret(t, text);
      symlinkSync(target, join(dir, name));
      await expectSilent(dir, /cannot be read: the user of the site may not read it/);
      rmSync(join(dir, name));
      linkSync(target, join(dir, name));
      await expectSilent(dir, /cannot be read: the user of the site may not read it/, [['check'], ['start']]);
    });
  }

  test("a settings file that leads into /proc tells nothing of root's environment", {
    timeout,
  }, async (t) => {
    const dir = makeProject(t);
    for (const target of ['/proc/self/environ', '/proc/self/fd/0', '/proc/thread-self/environ']) {
      symlinkSync(target, join(dir, 'easyserve.yaml'));
      await expectSilent(dir, /easyserve\.yaml/, [['check'], ['start', '--port', '0']]);
      rmSync(join(dir, 'easyserve.yaml'));
    }
  });

  test('a FIFO or a device in the place of the settings file is no file', { timeout }, async (t) => {
    const dir = makeProject(t);
    makeFifo(join(dir, 'easyserve.toml'));
    await expectSilent(dir, /cannot be read: it is not a file/);
    rmSync(join(dir, 'easyserve.toml'));
    symlinkSync('/dev/zero', join(dir, 'easyserve.json'));
    await expectSilent(dir, /cannot be read: it is not a file/, [['check'], ['start']]);
  });

  test('a FIFO in the place of package.json is named', { timeout }, async (t) => {
    const dir = makeProject(t, 'node-hello');
    rmSync(join(dir, 'package.json'), { force: true });
    makeFifo(join(dir, 'package.json'));
    const { code, stderr } = await type(dir, 'start', '--port', '0');
    assert.equal(code, 4, stderr);
    assert.match(stderr, /package\.json can't be read: .* is not a file/);
  });

  test('a FIFO in the place of the log ends the start of a daemon', { timeout }, async (t) => {
    const dir = makeProject(t);
    mkdirSync(join(dir, '.easyserve'));
    giveToShop(dir);
    makeFifo(join(dir, '.easyserve', 'easyserve.log'));
    const { code, stderr } = await type(dir, 'start', '--daemon', '--port', '0');
    assert.equal(code, 1, stderr);
    assert.match(stderr, /easyserve\.log, where the log belongs, is not a file/);
  });

  forEachMode(['single', 'cluster'], (mode, testIn) => {
    testIn('FIFOs in the place of state files hold up neither a start nor a stop', async (t) => {
      const dir = makeProject(t);
      mkdirSync(join(dir, '.easyserve'));
      giveToShop(dir);
      for (const name of ['easyserve.pid', 'hsts.json', 'control.sock', 'run', 'spool'])
        makeFifo(join(dir, '.easyserve', name));
      const site = await startEasyserve(t, { mode, dir, env });
      rmSync(join(dir, '.easyserve', 'easyserve.pid'));
      makeFifo(join(dir, '.easyserve', 'easyserve.pid'));
      for (const verb of ['status', 'reload', 'stop']) {
        const { code, stderr } = await site.cli(verb);
        assert.equal(code, 0, stderr);
      }
      rmSync(join(dir, '.easyserve'), { recursive: true });
    });

    testIn("the application finds none of root's own folders in its environment", async (t) => {
      const dir = makeProject(t);
      const app = readFileSync(join(dir, 'app.py'), 'utf8');
      const note = `open('env', 'w').write('\\n'.join(f'{k}={v}' for k, v in os.environ.items()))\n`;
      writeFileSync(join(dir, 'app.py'), `${app}\n${note}`);
      const ofRoot = {
        HOME: '/root',
        XDG_STATE_HOME: '/root/state',
        XDG_CONFIG_HOME: '/root/config',
        XDG_RUNTIME_DIR: '/run/user/0',
      };
      await startEasyserve(t, { mode, dir, env: { ...env, ...ofRoot } });
      const found = readFileSync(join(dir, 'env'), 'utf8');
      assert.match(found, /^HOME=\/home\/shop$/m);
      assert.doesNotMatch(found, /^(?:XDG_|HOME=\/root)/m);
    });
  });

  test("no link of a user's leads a verb of root to a socket of root's", { timeout }, async (t) => {
    const dir = makeProject(t);
    const hidden = makeTempDir(t);
    let calls = 0;
    const server = createServer((socket) => {
      calls += 1;
      socket.destroy();
    }).listen(join(hidden, 'control.sock'));
    await once(server, 'listening');
    t.after(() => server.close());
    const arrangements = [
      () => {
        mkdirSync(join(dir, '.easyserve'));
        symlinkSync(join(hidden, 'control.sock'), join(dir, '.easyserve', 'control.sock'));
      },
      () => symlinkSync(hidden, join(dir, '.easyserve')),
    ];
    for (const arrange of arrangements) {
      arrange();
      giveToShop(dir);
      for (const verb of ['status', 'logs', 'reload', 'restart', 'stop', 'scale 2']) {
        const { code, stdout, stderr } = await type(dir, ...verb.split(' '));
        assert.notEqual(code, 0, `${verb}: ${stdout}${stderr}`);
      }
      for (const verb of ['check', 'config']) await type(dir, verb);
      rmSync(join(dir, '.easyserve'), { recursive: true });
    }
    assert.equal(calls, 0);
  });

  test("root that stays root keeps no state in a user's folder", { timeout }, async (t) => {
    const dir = makeProject(t);
    const target = makeSecret(t, 'as it was');
    mkdirSync(join(dir, '.easyserve'));
    for (const name of ['.gitignore', 'easyserve.log']) symlinkSync(target, join(dir, '.easyserve', name));
    giveToShop(dir);
    const started = await type(
      dir,
      'start',
      '--daemon',
      '--set',
      'user=root',
      '--host',
      '127.0.0.1',
      '--port',
      '0',
    );
    assert.equal(started.code, 0, started.stderr);
    assert.match(started.stdout, /\/tmp\/easyserve-0\//);
    for (const verb of ['status', 'reload', 'stop']) assert.equal((await type(dir, verb)).code, 0, verb);
    assert.equal(readFileSync(target, 'utf8'), 'as it was');
    assert.equal(existsSync(join(dir, '.easyserve', 'easyserve.pid')), false);
  });

  test("what a user's own program answers in the place of an instance commands no terminal of root's", {
    timeout,
  }, async (t) => {
    const dir = makeProject(t);
    const hostile = '\u001b[2J\u001b]0;x\u0007\u009b1A\u202e';
    const answer = `${JSON.stringify({ progress: hostile })}\n${JSON.stringify({ line: hostile })}\n`;
    const refusal = JSON.stringify({
      error: { code: 'x', message: hostile, hint: hostile, detail: hostile, exitCode: 1 },
    });
    mkdirSync(join(dir, '.easyserve'));
    const server = createServer((socket) => {
      socket.on('error', () => undefined);
      socket.once('data', () => socket.end(`${answer}${refusal}\n`));
    }).listen(join(dir, '.easyserve', 'control.sock'));
    await once(server, 'listening');
    t.after(() => server.close());
    giveToShop(dir);
    for (const verb of ['status', 'logs', 'reload', 'restart', 'stop', 'scale 2', 'config', 'check']) {
      const { stdout, stderr } = await type(dir, ...verb.split(' '));
      assert.doesNotMatch(stdout + stderr, /[^\P{Cc}\n\t]|\u202e/u, verb);
      if (verb !== 'check') assert.match(stdout + stderr, /\\x1b\[2J/, verb);
    }
  });
});

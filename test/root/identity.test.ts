import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import {
  chmodSync,
  copyFileSync,
  existsSync,
  mkdirSync,
  readFileSync,
  rmdirSync,
  rmSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { dirname, join } from 'node:path';
import { type TestContext, test } from 'node:test';
import { copyFixture, makeTempDir } from '../support/copy-fixture.js';
import { giveToShop, inPrivateWorld, shop } from '../support/private-world.js';
import { type CommandResult, easyserveBin, runEasyserve } from '../support/run-easyserve.js';
import { startEasyserve } from '../support/start-easyserve.js';

const env = { EASYSERVE_USER: undefined };
const timeout = 60_000;

function type(dir: string, ...args: readonly string[]): Promise<CommandResult> {
  return runEasyserve(args, { cwd: dir, env });
}

/** A project of the user, which writes down as whom it is loaded. */
function makeProject(t: TestContext): string {
  const base = makeTempDir(t);
  const dir = copyFixture('wsgi-hello', join(base, 'site'));
  const source = readFileSync(join(dir, 'app.py'), 'utf8');
  writeFileSync(
    join(dir, 'app.py'),
    `${source}\nwith open('who', 'a') as _who:\n    _who.write(f'{os.getresuid()}\\n')\n`,
  );
  giveToShop(base);
  return dir;
}

function loadedBy(dir: string): Set<string> {
  return new Set(readFileSync(join(dir, 'who'), 'utf8').trim().split('\n'));
}

/** Where the state goes when not into the project; removed at the end, and before, when an earlier run was killed. */
function stateInTmp(t: TestContext): string {
  const state = join('/tmp', `easyserve-${shop.uid}`);
  const remove = () => rmSync(state, { recursive: true, force: true });
  remove();
  t.after(remove);
  return state;
}

/** An empty one in its place, in this mount namespace alone. */
function hideFolder(t: TestContext, path: string): void {
  const isMissing = !existsSync(path);
  if (isMissing) mkdirSync(path);
  execFileSync('mount', ['-t', 'tmpfs', 'tmpfs', path]);
  t.after(() => {
    execFileSync('umount', [path]);
    if (isMissing) rmdirSync(path);
  });
}

const byShop = new Set([`(${Array(3).fill(shop.uid).join(', ')})`]);

inPrivateWorld(import.meta.url, () => {
  test('a folder of root: no application runs as root unless that is said', { timeout }, async (t) => {
    const dir = copyFixture('wsgi-hello', join(makeTempDir(t), 'site'));
    const refused = await type(dir, 'start', '--port', '0');
    assert.equal(refused.code, 3);
    assert.match(refused.stderr, /belongs to root.*\n.*--set user=www-data/);
    assert.equal(existsSync(join(dir, '.easyserve')), false);
    assert.match((await type(dir, 'check')).stdout, /error {4}.*belongs to root/);
    const allowed = await startEasyserve(t, { mode: 'single', dir, env: { EASYSERVE_USER: 'root' } });
    assert.equal(statSync(join(dir, '.easyserve')).uid, 0);
    assert.equal((await fetch(allowed.url)).status, 200);
  });

  test('users and groups that are not there are named', { timeout }, async (t) => {
    const dir = makeProject(t);
    const user = await type(dir, 'start', '--set', 'user=nosuch');
    assert.deepEqual([user.code, /There is no user nosuch/.test(user.stderr)], [3, true], user.stderr);
    const group = await type(dir, 'start', '--set', 'group=nosuch');
    assert.deepEqual([group.code, /There is no group nosuch/.test(group.stderr)], [3, true], group.stderr);
  });

  test('`check` and `config` of root load the project as its owner, too', { timeout }, async (t) => {
    const dir = makeProject(t);
    assert.equal((await type(dir, 'check', '--port', '8000')).code, 0);
    assert.equal((await type(dir, 'config')).code, 0);
    assert.deepEqual(loadedBy(dir), byShop);
  });

  test('a daemon of root writes a log of the owner, and is stopped by root', { timeout }, async (t) => {
    const dir = makeProject(t);
    const started = await type(dir, 'start', '--daemon', '--host', '127.0.0.1', '--port', '80');
    assert.equal(started.code, 0, started.stderr);
    assert.match(started.stdout, /http:\/\/127\.0\.0\.1\/\n/);
    assert.equal(statSync(join(dir, '.easyserve', 'easyserve.log')).uid, shop.uid);
    assert.equal((await type(dir, 'stop')).code, 0);
    assert.deepEqual(loadedBy(dir), byShop);
  });

  test('a link in the state folder leads root nowhere', { timeout }, async (t) => {
    const dir = makeProject(t);
    const target = join(makeTempDir(t), 'of-root');
    writeFileSync(target, 'as it was');
    chmodSync(target, 0o600);
    mkdirSync(join(dir, '.easyserve'));
    for (const name of ['.gitignore', 'easyserve.log']) symlinkSync(target, join(dir, '.easyserve', name));
    giveToShop(dir);
    const start = ['start', '--daemon', '--host', '127.0.0.1', '--port', '0'];
    // As the owner it can't write to what the log's name leads to, and says so.
    const refused = await type(dir, ...start);
    assert.equal(refused.code, 1);
    assert.match(
      refused.stderr,
      /easyserve\.log, where the log belongs, is not a file that may be written\./,
    );
    rmSync(join(dir, '.easyserve', 'easyserve.log'));
    assert.equal((await type(dir, ...start)).code, 0);
    assert.equal((await type(dir, 'stop')).code, 0);
    assert.equal(readFileSync(target, 'utf8'), 'as it was');
  });

  test('a user who may only read the folder keeps its state elsewhere, and root finds it', {
    timeout,
  }, async (t) => {
    const dir = copyFixture('wsgi-hello', join(makeTempDir(t), 'site'));
    chmodSync(dirname(dir), 0o755);
    const state = stateInTmp(t);
    await startEasyserve(t, {
      mode: 'single',
      dir,
      env,
      args: ['--set', 'user=shop', '--set', 'group=media'],
    });
    assert.equal(statSync(state).uid, shop.uid);
    assert.equal(statSync(state).gid, shop.media);
    assert.equal((await type(dir, 'status')).code, 0);
    assert.equal((await type(dir, 'reload')).code, 0);
  });

  test("`install` of root: the unit is root's, the state folder its user's", { timeout }, async (t) => {
    const dir = makeProject(t);
    // Seen by this mount namespace alone: no unit folder of the machine, and no systemd.
    for (const path of ['/etc/systemd', '/run/systemd']) hideFolder(t, path);
    mkdirSync('/etc/systemd/system', { recursive: true });
    // What else this machine's environment has is not the site's.
    const { code, stdout, stderr } = await type(dir, 'install', '--without-env', '--name', 'easyserve-site');
    assert.equal(code, 0, stderr);
    assert.match(stdout, /user {6}shop\n/);
    const unit = '/etc/systemd/system/easyserve-site.service';
    assert.match(readFileSync(unit, 'utf8'), /^User=shop$/m);
    const { uid, gid, mode } = statSync(unit);
    assert.deepEqual([uid, gid, mode & 0o777], [0, 0, 0o644]);
    assert.equal(statSync(join(dir, '.easyserve')).uid, shop.uid);
    assert.deepEqual(loadedBy(dir), byShop);
  });

  test('a program that the user cannot read is named', { timeout }, async (t) => {
    const dir = makeProject(t);
    // A copy, as it may stand in /root: only its owner may enter the folder.
    const hidden = join(makeTempDir(t), 'node');
    copyFileSync(process.execPath, hidden);
    const program = [hidden, easyserveBin];
    const { code, stderr } = await runEasyserve(['start', '--port', '0'], { cwd: dir, env, program });
    assert.equal(code, 3, stderr);
    assert.match(stderr, /The user shop may not read .*\/node,/);
  });
});

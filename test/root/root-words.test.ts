import assert from 'node:assert/strict';
import {
  appendFileSync,
  chmodSync,
  chownSync,
  mkdirSync,
  mkdtempSync,
  rmSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { dirname, join } from 'node:path';
import { type TestContext, test } from 'node:test';
import { copyFixture, makeTempDir } from '../support/copy-fixture.js';
import { forEachMode } from '../support/for-each-mode.js';
import { giveToShop, inPrivateWorld, shop } from '../support/private-world.js';
import { type CommandResult, runEasyserve } from '../support/run-easyserve.js';
import { startEasyserve } from '../support/start-easyserve.js';

/** Whose rights the application gets, and which of root's are used for it, is said by root alone. */

const env = { EASYSERVE_USER: undefined };
const timeout = 60_000;

function type(dir: string, ...args: readonly string[]): Promise<CommandResult> {
  return runEasyserve(args, { cwd: dir, env });
}

/** A project of the user in a folder of root's. */
function makeProject(t: TestContext, settings?: string): string {
  const base = makeTempDir(t);
  chmodSync(base, 0o755);
  const dir = copyFixture('wsgi-hello', join(base, 'site'));
  if (settings !== undefined) writeFileSync(join(dir, 'easyserve.toml'), settings);
  giveToShop(dir);
  return dir;
}

/** Root alone can write it and every folder up to /; /tmp is everybody's. */
function makeRootsFolder(t: TestContext): string {
  const dir = mkdtempSync('/run/easyserve-test-');
  t.after(() => rmSync(dir, { recursive: true, force: true }));
  chmodSync(dir, 0o755);
  return dir;
}

function writeRootsFile(t: TestContext, text: string): string {
  const path = join(makeRootsFolder(t), 'shop.toml');
  writeFileSync(path, text);
  return path;
}

/** `user` and `group` of every process of the instance, by number. */
function idsOf(pids: readonly number[]): Set<string> {
  return new Set(
    pids.map((pid) => {
      const { uid, gid } = statSync(`/proc/${pid}`);
      return `${uid}:${gid}`;
    }),
  );
}

const verbs = [
  ['start', '--port', '0'],
  ['start', '--daemon', '--port', '0'],
  ['check'],
  ['config'],
  ['install', '--print'],
];

inPrivateWorld(import.meta.url, () => {
  test("no verb of root takes a user from a user's settings file", { timeout }, async (t) => {
    const dir = makeProject(t, 'user = "root"\n');
    for (const verb of verbs) {
      const { code, stdout, stderr } = await type(dir, ...verb);
      assert.equal(code, 3, `${verb.join(' ')}: ${stdout}${stderr}`);
      const said = stdout + stderr;
      assert.match(
        said,
        /easyserve\.toml line 1: user gives rights that only root may give away, and .*easyserve\.toml belongs/,
      );
      assert.match(said, /fix: sudo easyserve start --set user=…, or EASYSERVE_USER, or a settings file/);
    }
  });

  for (const text of ['group = "shadow"', 'port = 22', 'https = true\nhttpsPort = 636', 'user = 0']) {
    test(`a user's settings file does not say ${text}`, { timeout }, async (t) => {
      const dir = makeProject(t, `${text}\n`);
      const { code, stderr } = await type(dir, 'start');
      assert.deepEqual([code, /rights that only root may give away/.test(stderr)], [3, true], stderr);
    });
  }

  test("nor do Django's settings say a port of another service", { timeout }, async (t) => {
    const dir = copyFixture('django-minimal', join(makeTempDir(t), 'site'));
    appendFileSync(join(dir, 'minimal', 'settings.py'), '\nEASYSERVER = {"PORT": 25}\n');
    giveToShop(dirname(dir));
    const { code, stderr } = await type(dir, 'start');
    assert.equal(code, 3, stderr);
    assert.match(stderr, /Django EASYSERVER \(minimal\.settings\): PORT gives rights .* code of the project/);
  });

  test("a file of root is not root's word where others can put it, or write it", { timeout }, async (t) => {
    const rootsFile = writeRootsFile(t, 'user = "root"\n');
    const dir = makeProject(t);
    const own = join(dir, 'easyserve.toml');
    const shared = join(makeRootsFolder(t), 'shared');
    mkdirSync(shared);
    chmodSync(shared, 0o775);
    writeFileSync(join(shared, 'a.toml'), 'user = "root"\n');
    const loose = join(makeRootsFolder(t), 'loose.toml');
    writeFileSync(loose, 'user = "root"\n');
    chmodSync(loose, 0o664);
    const places: readonly (readonly [string, () => void, readonly string[]])[] = [
      ["a file of root's in the folder", () => writeFileSync(own, 'user = "root"\n'), []],
      ['a link to a file of root', () => symlinkSync(rootsFile, own), []],
      ['that link, named', () => symlinkSync(rootsFile, own), ['--config', own]],
      ['a folder that a group can write', () => {}, ['--config', join(shared, 'a.toml')]],
      ['a file that a group can write', () => {}, ['--config', loose]],
      [
        '/tmp',
        () => writeFileSync(join(dirname(dir), 'b.toml'), 'user = "root"\n'),
        ['--config', join(dirname(dir), 'b.toml')],
      ],
    ];
    for (const [name, arrange, flags] of places) {
      arrange();
      const { code, stderr } = await type(dir, 'start', '--port', '0', ...flags);
      assert.deepEqual([code, /only root may give away/.test(stderr)], [3, true], `${name}: ${stderr}`);
      rmSync(own, { force: true });
    }
  });

  test('a folder of root with a settings file that others can write: it is said why nobody was chosen', {
    timeout,
  }, async (t) => {
    const dir = copyFixture('wsgi-hello', join(makeRootsFolder(t), 'site'));
    writeFileSync(join(dir, 'easyserve.toml'), 'user = "shop"\n');
    chmodSync(join(dir, 'easyserve.toml'), 0o666);
    const { code, stderr } = await type(dir, 'check').then(({ code, stdout }) => ({ code, stderr: stdout }));
    assert.equal(code, 3);
    assert.match(stderr, /belongs to root/);
    assert.match(
      stderr,
      /settings file is not asked for a user: others than root can write .*easyserve\.toml/,
    );
  });

  test('a folder that somebody else could replace is not started as its owner', { timeout }, async (t) => {
    const victim = makeProject(t);
    const trap = makeTempDir(t);
    chownSync(trap, shop.uid + 1, shop.uid + 1);
    symlinkSync(victim, join(trap, 'current'));
    const linked = await type(join(trap, 'current'), 'start', '--port', '0', join(trap, 'current'));
    assert.deepEqual(
      [linked.code, /could put another folder in the place/.test(linked.stderr)],
      [3, true],
      linked.stderr,
    );
    chmodSync(dirname(victim), 0o777);
    const open = await type(victim, 'start', '--port', '0');
    assert.deepEqual([open.code, /every user can write/.test(open.stderr)], [3, true], open.stderr);
    assert.equal((await type(victim, 'check', '--set', 'user=shop', '--port', '0')).code, 0);
  });

  forEachMode(['single', 'cluster'], (mode, testIn) => {
    testIn("root's own settings file says the user, in the folder or elsewhere", async (t) => {
      const dir = copyFixture('wsgi-hello', join(makeRootsFolder(t), 'site'));
      writeFileSync(join(dir, 'easyserve.toml'), 'user = "shop"\ngroup = "media"\n');
      t.after(() => rmSync(join('/tmp', `easyserve-${shop.uid}`), { recursive: true, force: true }));
      const inFolder = await startEasyserve(t, { mode, dir, env });
      assert.deepEqual(idsOf(inFolder.processes()), new Set([`${shop.uid}:${shop.media}`]));
      assert.equal((await inFolder.cli('reload')).code, 0);
      await inFolder.stop();
      rmSync(join(dir, 'easyserve.toml'));
      const config = writeRootsFile(t, 'user = "shop"\nport = 81\n');
      const named = await startEasyserve(t, { mode, dir: makeProject(t), env, args: ['--config', config] });
      assert.deepEqual(idsOf(named.processes()), new Set([`${shop.uid}:${shop.gid}`]));
    });

    testIn('a user who adds it later has the reload refused, and the site serves on', async (t) => {
      const dir = makeProject(t, 'watch = false\n');
      const site = await startEasyserve(t, { mode, dir, env });
      writeFileSync(join(dir, 'easyserve.toml'), 'watch = false\nuser = "root"\n');
      const { code, stderr } = await site.cli('reload');
      assert.deepEqual([code, /only root may give away/.test(stderr)], [9, true], stderr);
      assert.equal((await fetch(site.url)).status, 200);
      assert.deepEqual(idsOf(site.processes()), new Set([`${shop.uid}:${shop.gid}`]));
    });
  });
});

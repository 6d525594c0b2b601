import assert from 'node:assert/strict';
import { chmodSync, existsSync, mkdirSync, rmSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { findStateFolders } from '../../src/control/state-folder.js';
import { Background } from '../support/background.js';
import { copyFixture, makeTempDir } from '../support/copy-fixture.js';
import { integrationTimeoutMs } from '../support/for-each-mode.js';
import { leftoversOf } from '../support/leftovers.js';
import { easyserveProgram, runEasyserve } from '../support/run-easyserve.js';
import { startEasyserve } from '../support/start-easyserve.js';

const timeout = integrationTimeoutMs;

/** Root may read and write everything, unless its capabilities are taken away (capabilities(7)). */
const unprivileged = [
  ...(process.getuid?.() === 0 ? ['setpriv', '--inh-caps=-all', '--bounding-set=-all'] : []),
  ...easyserveProgram,
];

test('the folder is the current one, or the one that is named, or that of -C', { timeout }, async (t) => {
  const easyserve = await startEasyserve(t, { fixture: 'wsgi-hello', mode: 'single' });
  const elsewhere = makeTempDir(t);
  const parent = join(easyserve.dir, '..');
  for (const [cwd, args] of [
    [easyserve.dir, ['status', '--json']],
    [elsewhere, ['status', '--json', easyserve.dir]],
    [parent, ['status', '--json', 'site']],
    [elsewhere, ['-C', easyserve.dir, 'status', '--json']],
    [elsewhere, ['-C', parent, 'status', '--json', 'site']],
  ] as const) {
    const { code, stdout, stderr } = await runEasyserve(args, { cwd });
    assert.equal(code, 0, stderr);
    assert.equal(JSON.parse(stdout).pid, easyserve.pid);
  }
});

test('nobody else can reach the control socket', { timeout }, async (t) => {
  const easyserve = await startEasyserve(t, { fixture: 'wsgi-hello', mode: 'single' });
  const state = join(easyserve.dir, '.easyserve');
  assert.equal(statSync(state).mode & 0o777, 0o700);
  assert.equal(statSync(join(state, 'control.sock')).mode & 0o777, 0o600);
});

test('a project whose path is too long for a Unix socket', { timeout }, async (t) => {
  const dir = copyFixture('wsgi-hello', join(makeTempDir(t), 'x'.repeat(120), 'site'));
  await expectServed(new Background(t, { dir }), dir);
});

test('a project that cannot be written', { timeout }, async (t) => {
  const dir = copyFixture('wsgi-hello', join(makeTempDir(t), 'site'));
  chmodSync(dir, 0o555);
  try {
    await expectServed(new Background(t, { dir, program: unprivileged }), dir);
  } finally {
    chmodSync(dir, 0o755);
  }
});

test('a folder that cannot be read', { timeout }, async (t) => {
  const base = makeTempDir(t);
  const dir = join(base, 'closed');
  mkdirSync(dir);
  chmodSync(dir, 0);
  const result = await runEasyserve(['start', dir], { cwd: base, program: unprivileged });
  chmodSync(dir, 0o755);
  assert.equal(result.code, 4, result.stderr);
  assert.match(result.stderr, /^easyserve: The folder \/.*\/closed cannot be read by this user\.$/m);
});

/** Its state is kept below /tmp; every verb finds it there. */
async function expectServed(background: Background, dir: string): Promise<void> {
  const { code, stderr } = await background.start();
  assert.equal(code, 0, stderr);
  const status = await background.run('status', '--json');
  assert.equal(JSON.parse(status.stdout).state, 'running', status.stderr);
  // Root looks into the folders of other users too, who have left theirs at some time.
  const candidates = await findStateFolders(dir);
  const { path } = candidates.find(({ controlSocket }) => existsSync(controlSocket)) ?? { path: '' };
  assert.ok(path.startsWith('/tmp/easyserve-'), path);
  assert.equal(statSync(join(path, 'control.sock')).mode & 0o777, 0o600);
  assert.equal((await background.run('reload')).code, 0);
  assert.equal((await background.run('stop')).code, 0);
  assert.deepEqual(leftoversOf([path]), []);
  rmSync(path, { recursive: true });
}

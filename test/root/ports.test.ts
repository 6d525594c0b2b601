import assert from 'node:assert/strict';
import { writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { test } from 'node:test';
import { copyFixture, makeTempDir } from '../support/copy-fixture.js';
import { asShop, giveToShop, inPrivateWorld } from '../support/private-world.js';
import { easyserveProgram, runEasyserve } from '../support/run-easyserve.js';
import { startEasyserve } from '../support/start-easyserve.js';

const env = { EASYSERVE_USER: undefined };
const timeout = 60_000;
const unprivilegedStart = '/proc/sys/net/ipv4/ip_unprivileged_port_start';
const onPort80 = {
  mode: 'single',
  fixture: 'wsgi-hello',
  env,
  args: ['--port', '80'],
  prepare: (dir: string) => giveToShop(dirname(dir)),
} as const;

inPrivateWorld(import.meta.url, () => {
  test('who may not bind port 80 reads how to allow it', { timeout }, async (t) => {
    const dir = copyFixture('wsgi-hello', join(makeTempDir(t), 'site'));
    giveToShop(dirname(dir));
    const { code, stderr } = await runEasyserve(['start', '--port', '80'], {
      cwd: dir,
      env,
      program: asShop(easyserveProgram),
    });
    assert.equal(code, 6, stderr);
    assert.match(stderr, /may not listen on port 80/);
    assert.match(stderr, /sudo easyserve install\n/);
    assert.match(stderr, /sudo sysctl -w net\.ipv4\.ip_unprivileged_port_start=80\n/);
    assert.match(stderr, /sudo easyserve start\n/);
    assert.match(stderr, /fix: .*easyserve start --port 8000\n/);
  });

  test('nobody but root becomes another user', { timeout }, async (t) => {
    const dir = copyFixture('wsgi-hello', join(makeTempDir(t), 'site'));
    giveToShop(dirname(dir));
    const start = (...args: string[]) =>
      runEasyserve(['start', ...args], { cwd: dir, env, program: asShop(easyserveProgram) });
    const user = await start('--set', 'user=daemon');
    assert.equal(user.code, 3, user.stderr);
    assert.match(user.stderr, /may not become the user daemon/);
  });

  test('CAP_NET_BIND_SERVICE is enough', { timeout }, async (t) => {
    const easyserve = await startEasyserve(t, { ...onPort80, under: asShop([], '+net_bind_service') });
    assert.equal(easyserve.url, 'http://127.0.0.1/');
    assert.equal((await fetch(easyserve.url)).status, 200);
  });

  test('so is a lower net.ipv4.ip_unprivileged_port_start', { timeout }, async (t) => {
    // Of this network namespace alone.
    writeFileSync(unprivilegedStart, '80');
    t.after(() => writeFileSync(unprivilegedStart, '1024'));
    const easyserve = await startEasyserve(t, { ...onPort80, under: asShop([]) });
    assert.equal((await fetch(easyserve.url)).status, 200);
  });
});

import assert from 'node:assert/strict';
import { appendFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import type { ConfigEntry } from '../../src/control/protocol.js';
import { applicationModules, breakRelease } from '../support/broken-release.js';
import { copyFixture, makeTempDir } from '../support/copy-fixture.js';
import { integrationTimeoutMs } from '../support/for-each-mode.js';
import { runEasyserve } from '../support/run-easyserve.js';
import { startEasyserve } from '../support/start-easyserve.js';

const timeout = integrationTimeoutMs;

test('config names the origin of each value, and the later one wins', { timeout }, async (t) => {
  const dir = copyFixture('django-minimal', join(makeTempDir(t), 'site'));
  appendFileSync(
    join(dir, 'minimal/settings.py'),
    "\nEASYSERVER = {'IP': '127.0.0.2', 'PORT': 8123, 'SERVE_STATIC': False}\nCHEROOT = {'numthreads': 7}\n",
  );
  writeFileSync(join(dir, 'easyserve.toml'), 'port = 8200\nmax_body_bytes = 2_000_000\n');
  const env = { EASYSERVE_QUEUE_REQUESTS: '50', EASYSERVE_LOG_LEVEL: 'warn' };
  const flags = ['--processes', '2', '--set', 'logLevel=error'];
  const { code, stdout, stderr } = await runEasyserve(['config', '--json', ...flags], { cwd: dir, env });
  assert.equal(code, 0, stderr);
  const entries = new Map((JSON.parse(stdout) as ConfigEntry[]).map((entry) => [entry.key, entry]));
  const expected: Readonly<Record<string, readonly [unknown, string]>> = {
    host: ['127.0.0.2', 'Django EASYSERVER'],
    serveStatic: [false, 'Django EASYSERVER'],
    threads: [7, 'Django CHEROOT'],
    port: [8200, 'easyserve.toml'],
    maxBodyBytes: [2_000_000, 'easyserve.toml'],
    queueRequests: [50, 'environment EASYSERVE_QUEUE_REQUESTS'],
    processes: [2, '--processes'],
    logLevel: ['error', '--set logLevel'],
    keepAliveTimeoutMs: [75_000, 'default'],
  };
  for (const [key, [value, origin]] of Object.entries(expected)) {
    assert.deepEqual(entries.get(key), { key, value, origin });
  }

  const table = await runEasyserve(['config', ...flags], { cwd: dir, env });
  assert.match(table.stdout, /^port +8200 +easyserve\.toml$/m);
});

test('config asks the running instance', { timeout }, async (t) => {
  const easyserve = await startEasyserve(t, {
    fixture: 'wsgi-hello',
    mode: 'single',
    args: ['--threads', '3'],
  });
  const { stdout } = await easyserve.cli('config', '--json');
  const threads = (JSON.parse(stdout) as ConfigEntry[]).find(({ key }) => key === 'threads');
  assert.deepEqual(threads, { key: 'threads', value: 3, origin: '--threads' });
});

test('check of a project that can be served', { timeout }, async (t) => {
  const dir = copyFixture('django-site', join(makeTempDir(t), 'site'));
  const { code, stdout, stderr } = await check(dir);
  assert.equal(code, 0, stdout + stderr);
  for (const line of [
    /^ok +settings: no settings file/m,
    /^ok +python: \d+\.\d+\.\d+, \/.+ \(\$VIRTUAL_ENV\)$/m,
    /^ok +application: photojournal\.wsgi:application, imported, \d+ MB in memory$/m,
    /^ok +django: \d+\.\d+(\.\d+)?, photojournal\.settings$/m,
    /^ok +address: 127\.0\.0\.1, any free port$/m,
  ]) {
    assert.match(stdout, line);
  }
});

const badProjects = [
  {
    name: 'whose application raises',
    spoil: (dir: string) => void breakRelease(dir, 'import-error', applicationModules['django-minimal']),
    exitCode: 4,
    said: /^error .*a_module_that_nobody_installed/m,
  },
  {
    name: 'with DEBUG on',
    spoil: (dir: string) => appendFileSync(join(dir, 'minimal/settings.py'), '\nDEBUG = True\n'),
    exitCode: 0,
    said: /^warning +DEBUG is on: .*\n +fix: DEBUG = False in minimal\.settings$/m,
  },
  {
    name: 'without ALLOWED_HOSTS',
    spoil: (dir: string) => appendFileSync(join(dir, 'minimal/settings.py'), '\nALLOWED_HOSTS = []\n'),
    exitCode: 10,
    said: /^error +ALLOWED_HOSTS is empty: .*\n +fix: ALLOWED_HOSTS = /m,
  },
  {
    name: 'with a wrong settings file',
    spoil: (dir: string) => writeFileSync(join(dir, 'easyserve.toml'), 'threads = 0\n'),
    exitCode: 3,
    said: /^error +easyserve\.toml line 1: threads must be /m,
  },
];
for (const { name, spoil, exitCode, said } of badProjects) {
  test(`check of a project ${name}`, { timeout }, async (t) => {
    const dir = copyFixture('django-minimal', join(makeTempDir(t), 'site'));
    spoil(dir);
    const { code, stdout, stderr } = await check(dir);
    assert.match(stdout, said, stderr);
    assert.equal(code, exitCode, stdout);
  });
}

test('check beside the running instance, which holds its port by right', { timeout }, async (t) => {
  const easyserve = await startEasyserve(t, { fixture: 'wsgi-hello', mode: 'single' });
  const { port } = new URL(easyserve.url);
  const { code, stdout } = await easyserve.cli('check', '--host', '127.0.0.1', '--port', port);
  assert.equal(code, 0, stdout);
  assert.ok(stdout.includes(`address: ${easyserve.url}, of the running instance`), stdout);
});

function check(dir: string) {
  return runEasyserve(['check', '--host', '127.0.0.1', '--port', '0'], { cwd: dir });
}

import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import { appendFileSync, existsSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import type { ConfigEntry } from '../../src/control/protocol.js';
import { applicationModules, breakRelease } from '../support/broken-release.js';
import { copyFixture, makeTempDir } from '../support/copy-fixture.js';
import { addDjangoSettings } from '../support/django-settings.js';
import { forEachMode, integrationTimeoutMs } from '../support/for-each-mode.js';
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

test('check of the example site as it goes into production finds nothing', { timeout }, async (t) => {
  const dir = copyFixture('django-site', join(makeTempDir(t), 'site'));
  const env = { JOURNAL_SECRET_KEY: randomBytes(40).toString('hex') };
  // Of the machine that runs the tests nothing is known.
  const ofMachine = [
    'python-unsupported',
    'django-unsupported',
    'node-unsupported',
    'disk-nearly-full',
    'clock-adrift',
  ];
  const silences = ofMachine.flatMap((name) => ['--silence', name]);
  const { code, stdout, stderr } = await check(dir, ['--strict', ...silences], env);
  assert.equal(code, 0, stdout + stderr);
  const lines = stdout.trimEnd().split('\n');
  for (const [index, line] of [
    /^ok +settings: no settings file/,
    /^ok +python: \d+\.\d+\.\d+, \/.+ \(\$VIRTUAL_ENV\)$/,
    /^ok +application: photojournal\.wsgi:application, imported, \d+ MB in memory$/,
    /^ok +django: \d+\.\d+(\.\d+)?, photojournal\.settings$/,
    /^ok +address: 127\.0\.0\.1, any free port$/,
  ].entries()) {
    assert.match(lines[index] ?? '', line);
  }
  assert.equal(lines.length, 5, stdout);
});

test('check of the example site as it lies there, for programs', { timeout }, async (t) => {
  const dir = copyFixture('django-site', join(makeTempDir(t), 'site'));
  rmSync(join(dir, 'db.sqlite3'));
  writeFileSync(join(dir, 'easyserve.toml'), 'silencedFindings = ["migrations-unapplied"]\n');
  const look = async (...args: string[]) => {
    const { code, stdout } = await check(dir, ['--json', '--silence', 'node-unsupported', ...args]);
    const report = JSON.parse(stdout) as {
      findings: Record<string, string>[];
      found: object[];
      details: object[];
    };
    return { code, ...report, names: report.findings.map(({ name }) => String(name)) };
  };
  const plain = await look('--processes', '2');
  assert.equal(plain.code, 0);
  for (const finding of plain.findings) {
    assert.deepEqual(Object.keys(finding), ['name', 'severity', 'message', 'fix']);
    assert.match(finding.severity ?? '', /^(warning|note)$/);
  }
  assert.ok(plain.names.includes('secret-key-weak'), plain.names.join());
  assert.ok(plain.names.includes('sqlite-several-processes'), plain.names.join());
  assert.ok(!plain.names.includes('migrations-unapplied'), plain.names.join());
  assert.deepEqual(plain.details, []);
  assert.equal(plain.found.length, 5);
  assert.equal((await look('--strict')).code, 10);
  const error = await look('--set', 'canonicalHost=www.example.org');
  assert.deepEqual([error.code, error.names[0]], [10, 'domain-refused']);
  assert.ok(!existsSync(join(dir, 'db.sqlite3')), 'check has made the database');
});

forEachMode(['single', 'cluster'], (mode, testIn) => {
  testIn('a start says what it finds in at most three lines, the worst first', async (t) => {
    const prepare = (dir: string) =>
      addDjangoSettings(dir, ['MEDIA_ROOT = BASE_DIR', "STATICFILES_DIRS = ['/nowhere/a', '/nowhere/b']"]);
    const easyserve = await startEasyserve(t, { fixture: 'django-site', mode, prepare });
    const said = easyserve.records.filter(({ event }) => /^findings?(-left)?$/.test(event ?? ''));
    assert.deepEqual(
      said.map((record) => [record.event, record.name]),
      [
        ['finding', 'folder-holds-project'],
        ['finding', 'secret-key-weak'],
        ['findings-left', undefined],
      ],
    );
  });
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

function check(dir: string, args: readonly string[] = [], env: Readonly<Record<string, string>> = {}) {
  return runEasyserve(['check', '--host', '127.0.0.1', '--port', '0', ...args], { cwd: dir, env });
}

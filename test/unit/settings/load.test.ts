import assert from 'node:assert/strict';
import { join } from 'node:path';
import { test } from 'node:test';
import type { DjangoSource } from '../../../src/settings/django-layer.js';
import type { SettingsSources } from '../../../src/settings/load.js';
import { schema, settingKeys } from '../../../src/settings/schema.js';
import { load, loadError, makeProject } from './project-folder.js';

function django(easyserver: unknown, cheroot?: unknown): DjangoSource {
  return { easyserver, cheroot, settingsModule: 'mysite.settings' };
}

test('without any source the defaults stand', (t) => {
  const { settings, origins, file } = load(makeProject(t));
  for (const key of settingKeys) {
    assert.deepEqual(settings[key], schema[key].default);
    assert.equal(origins[key], 'default');
  }
  assert.equal(file, undefined);
});

test('every default is accepted by its own format', () => {
  for (const key of settingKeys) assert.equal(schema[key].format.accepts(schema[key].default), true, key);
});

test('each later source wins, and the origin tells which it was', (t) => {
  const projectDir = makeProject(t, { 'easyserve.toml': 'port = 3\n' });
  const all: Required<Pick<SettingsSources, 'django' | 'env' | 'flags'>> = {
    django: django({ PORT: 2 }),
    env: { PORT: '4', EASYSERVE_PORT: '5' },
    flags: [
      { key: 'port', value: '6', flag: '--port' },
      { key: 'port', value: '7', flag: '--set port' },
    ],
  };
  const empty = makeProject(t);
  const steps = [
    [load(empty), null, 'default'],
    [load(empty, { django: all.django }), 2, 'Django EASYSERVER'],
    [load(projectDir, { django: all.django }), 3, 'easyserve.toml'],
    [load(projectDir, { django: all.django, env: { PORT: '4' } }), 4, 'environment PORT'],
    [load(projectDir, { django: all.django, env: all.env }), 5, 'environment EASYSERVE_PORT'],
    [load(projectDir, { ...all, flags: all.flags.slice(0, 1) }), 6, '--port'],
    [load(projectDir, all), 7, '--set port'],
  ] as const;
  for (const [{ settings, origins }, port, origin] of steps) {
    assert.equal(settings.port, port);
    assert.equal(origins.port, origin);
  }
});

test('the own variable counts more than that of the platform, whatever the order', (t) => {
  const projectDir = makeProject(t);
  for (const env of [
    { EASYSERVE_PROCESSES: '3', WEB_CONCURRENCY: '2' },
    { WEB_CONCURRENCY: '2', EASYSERVE_PROCESSES: '3' },
  ]) {
    assert.equal(load(projectDir, { env }).settings.processes, 3);
  }
  const { settings, origins } = load(projectDir, { env: { WEB_CONCURRENCY: '2' } });
  assert.equal(settings.processes, 2);
  assert.equal(origins.processes, 'environment WEB_CONCURRENCY');
});

test('empty variables: those of the platform are unset, our own say nothing, or none', (t) => {
  const env = {
    PORT: '',
    WEB_CONCURRENCY: '',
    EASYSERVE_HOST: '',
    EASYSERVE_TRUSTED_PROXIES: '',
    EASYSERVE_APP: undefined,
  };
  const projectDir = makeProject(t, {
    'easyserve.toml': 'host = "::1"\ntrustedProxies = ["10.0.0.1"]\nport = 1',
  });
  const { settings } = load(projectDir, { env });
  assert.equal(settings.host, null);
  assert.deepEqual(settings.trustedProxies, []);
  assert.equal(settings.port, 1);
  assert.equal(settings.processes, 1);
  assert.match(
    loadError(projectDir, { env: { EASYSERVE_PROCESSES: '' } }).message,
    /EASYSERVE_PROCESSES must be .*, not ""$/,
  );
});

test('text of the environment and of flags is read strictly', (t) => {
  const projectDir = makeProject(t);
  const env = {
    EASYSERVE_WATCH: 'no',
    EASYSERVE_ACCESS_LOG: '0',
    EASYSERVE_THREADS: '12',
    EASYSERVE_TRUSTED_PROXIES: '10.0.0.0/8, ::1',
    EASYSERVE_CHEROOT: '{"timeout": 5}',
    PATH: '/usr/bin',
  };
  const { settings } = load(projectDir, { env });
  assert.equal(settings.watch, false);
  assert.equal(settings.accessLog, false);
  assert.equal(settings.threads, 12);
  assert.deepEqual(settings.trustedProxies, ['10.0.0.0/8', '::1']);
  assert.deepEqual(settings.cheroot, { timeout: 5 });
  assert.equal(
    loadError(projectDir, { env: { PORT: '8080abc' } }).message,
    'environment PORT must be a whole number from 0 to 65535, not "8080abc"',
  );
  const flags = [{ key: 'port', value: '8080abc', flag: '--port' }];
  assert.equal(
    loadError(projectDir, { flags }).message,
    '--port must be a whole number from 0 to 65535, not "8080abc"',
  );
});

test('variables that begin like settings and are none: of a service in Kubernetes, and of the tests', (t) => {
  const projectDir = makeProject(t);
  const env = {
    EASYSERVE_TEST_PYTHON: '/usr/bin/python3',
    EASYSERVE_SERVICE_HOST: '10.0.0.11',
    EASYSERVE_SERVICE_PORT: '80',
    EASYSERVE_SERVICE_PORT_HTTP: '80',
    EASYSERVE_PORT: 'tcp://10.0.0.11:80',
    EASYSERVE_PORT_80_TCP: 'tcp://10.0.0.11:80',
    EASYSERVE_PORT_80_TCP_ADDR: '10.0.0.11',
  };
  const { settings, origins } = load(projectDir, { env });
  assert.deepEqual([settings.port, origins.port], [null, 'default']);
  assert.match(loadError(projectDir, { env: { EASYSERVE_TESTS: '1' } }).message, /unknown setting/);
});

test('flags may spell a key in three ways', (t) => {
  const projectDir = makeProject(t);
  for (const key of ['drainTimeoutMs', 'drain-timeout-ms', 'drain_timeout_ms', 'DRAIN_TIMEOUT_MS']) {
    const flags = [{ key, value: '7', flag: `--set ${key}` }];
    assert.equal(load(projectDir, { flags }).settings.drainTimeoutMs, 7);
  }
});

test('unknown names say the nearest one as their source spells it', (t) => {
  const projectDir = makeProject(t);
  const table: readonly (readonly [Partial<SettingsSources>, string, string | undefined])[] = [
    [{ env: { EASYSERVE_PROT: '1' } }, 'environment: unknown setting "EASYSERVE_PROT"', 'EASYSERVE_PORT'],
    [
      { env: { EASYSERVE_WORKERS: '4' } },
      'environment: unknown setting "EASYSERVE_WORKERS"',
      'EASYSERVE_PROCESSES',
    ],
    [
      { flags: [{ key: 'graceful-timeout', value: '1', flag: '--set graceful-timeout' }] },
      '--set graceful-timeout: unknown setting "graceful-timeout"',
      'drainTimeoutMs',
    ],
    [{ env: { EASYSERVE_: '1' } }, 'environment: unknown setting "EASYSERVE_"', undefined],
    [
      { flags: [{ key: 'prot', value: '1', flag: '--set prot' }] },
      '--set prot: unknown setting "prot"',
      'port',
    ],
    [
      { flags: [{ key: 'constructor', value: '1', flag: '--set constructor' }] },
      '--set constructor: unknown setting "constructor"',
      undefined,
    ],
    [{ django: django({ PROT: 1 }) }, 'Django EASYSERVER (mysite.settings): unknown setting "PROT"', 'PORT'],
    [{ django: django({ port: 1 }) }, 'Django EASYSERVER (mysite.settings): unknown setting "port"', 'PORT'],
    [
      { django: django({ constructor: 1 }) },
      'Django EASYSERVER (mysite.settings): unknown setting "constructor"',
      undefined,
    ],
  ];
  for (const [sources, message, meant] of table) {
    const error = loadError(projectDir, sources);
    assert.equal(error.code, 'unknown-setting');
    assert.equal(error.message, message);
    assert.equal(error.hint, meant && `did you mean "${meant}"?`);
    assert.equal(error.exitCode, 3);
  }
});

test("EASYSERVER's own names and those of every key", (t) => {
  const projectDir = makeProject(t);
  const { settings, origins } = load(projectDir, {
    django: django({
      IP: '::',
      PORT: 81,
      SERVE_STATIC: false,
      WELL_KNOWN_ROOT: 'wk',
      THREADS: 3,
      DRAIN_TIMEOUT_MS: 9,
      HEALTH_HOST: null,
    }),
  });
  assert.equal(settings.host, '::');
  assert.equal(settings.port, 81);
  assert.equal(settings.serveStatic, false);
  assert.equal(settings.wellKnownRoot, join(projectDir, 'wk'));
  assert.equal(settings.threads, 3);
  assert.equal(settings.drainTimeoutMs, 9);
  assert.equal(origins.healthHost, 'Django EASYSERVER');
  assert.equal(load(projectDir, { django: django({ WELL_KOWN_ROOT: '/wk' }) }).settings.wellKnownRoot, '/wk');
});

test('EASYSERVER: the user is needed before Django is asked', (t) => {
  for (const name of ['USER', 'GROUP']) {
    const error = loadError(makeProject(t), { django: django({ [name]: 'shop' }) });
    assert.equal(error.code, 'misplaced-setting');
    assert.match(error.hint ?? '', new RegExp(`EASYSERVE_${name}$`));
  }
});

test('EASYSERVER: two names of one key, and what is no dict', (t) => {
  const projectDir = makeProject(t);
  const twice = loadError(projectDir, { django: django({ IP: '::', HOST: '::1' }) });
  assert.equal(twice.code, 'duplicate-setting');
  assert.equal(twice.message, 'Django EASYSERVER (mysite.settings): HOST sets host a second time');
  assert.match(twice.hint ?? '', /IP$/);
  for (const value of [[], 'x', 3, false]) {
    const error = loadError(projectDir, { django: django(value) });
    assert.equal(error.code, 'malformed-setting');
    assert.equal(
      error.message,
      `Django EASYSERVER (mysite.settings) must be a dict, not ${JSON.stringify(value)}`,
    );
  }
  for (const value of [{}, null, undefined]) {
    assert.equal(load(projectDir, { django: django(value) }).settings.port, null);
  }
});

test('text is no number in Django either', (t) => {
  const error = loadError(makeProject(t), { django: django({ PORT: '8000' }) });
  assert.equal(
    error.message,
    'Django EASYSERVER (mysite.settings): PORT must be a whole number from 0 to 65535, not "8000"',
  );
});

test('CHEROOT is kept whole, and gives the threads unless somebody else does', (t) => {
  const projectDir = makeProject(t);
  const cheroot = { numthreads: 20, server_name: 'x', ssl: { 'a.b': [1, null] } };
  const first = load(projectDir, { django: django({}, cheroot) });
  assert.deepEqual(first.settings.cheroot, cheroot);
  assert.equal(first.settings.threads, 20);
  assert.equal(first.origins.threads, 'Django CHEROOT');
  assert.equal(first.origins.cheroot, 'Django CHEROOT');
  assert.equal(load(projectDir, { django: django({}, { minthreads: 8 }) }).settings.threads, 8);
  assert.equal(
    load(projectDir, { django: django({}, { minthreads: 8, numthreads: 9 }) }).settings.threads,
    9,
  );
  assert.equal(load(projectDir, { django: django({}, { timeout: 8 }) }).origins.threads, 'default');
  assert.equal(load(projectDir, { django: django({ THREADS: 4 }, cheroot) }).settings.threads, 4);
  assert.equal(
    load(projectDir, { django: django({}, cheroot), env: { EASYSERVE_THREADS: 'auto' } }).settings.threads,
    'auto',
  );
});

test('a malformed CHEROOT is named', (t) => {
  const projectDir = makeProject(t);
  assert.equal(
    loadError(projectDir, { django: django({}, [1]) }).message,
    'Django CHEROOT (mysite.settings) must be a table of names and values, not [1]',
  );
  assert.match(
    loadError(projectDir, { django: django({}, { numthreads: 'ten' }) }).message,
    /^Django CHEROOT \(mysite\.settings\) numthreads must be "auto" or a whole number .*, not "ten"$/,
  );
});

test('all problems of all sources come in one error, also those that a later source would override', (t) => {
  const projectDir = makeProject(t, { 'easyserve.toml': 'prot = 1\nport = "8080abc"\n' });
  const error = loadError(projectDir, {
    env: { EASYSERVE_THRADS: '1' },
    flags: [{ key: 'port', value: '80', flag: '--port' }],
  });
  assert.equal(error.message, 'easyserve.toml line 1: unknown setting "prot"');
  assert.equal(error.hint, 'did you mean "port"?');
  assert.deepEqual(error.detail?.split('\n'), [
    'easyserve.toml line 2: port must be a whole number from 0 to 65535, not "8080abc"',
    'environment: unknown setting "EASYSERVE_THRADS" (did you mean "EASYSERVE_THREADS"?)',
  ]);
});

test('values that contradict each other', (t) => {
  const projectDir = makeProject(t, { 'easyserve.toml': 'fronts = 4\n' });
  const fronts = loadError(projectDir, { env: { WEB_CONCURRENCY: '2' } });
  assert.equal(fronts.code, 'conflicting-settings');
  assert.equal(
    fronts.message,
    'fronts = 4 (easyserve.toml) is more than processes = 2 (environment WEB_CONCURRENCY), and each front needs a process of its own',
  );
  assert.equal(load(projectDir, { env: { WEB_CONCURRENCY: 'auto' } }).settings.fronts, 4);
  assert.equal(load(projectDir, { env: { WEB_CONCURRENCY: '4' } }).settings.fronts, 4);
  const backoff = loadError(makeProject(t), { env: { EASYSERVE_RESTART_BACKOFF_MS: '40000' } });
  assert.equal(
    backoff.message,
    'restartBackoffMs = 40000 (environment EASYSERVE_RESTART_BACKOFF_MS) is more than restartBackoffMaxMs = 30000 (default)',
  );
});

test('folders are resolved against the project, wherever they come from', (t) => {
  const projectDir = makeProject(t, {
    'easyserve.toml': 'sendfileRoots = ["a", "/b"]\n[accelRoots]\n"/v1.2/" = "c"\n',
  });
  const flags = [{ key: 'wellKnownRoot', value: '../wk', flag: '--set wellKnownRoot' }];
  const { settings } = load(projectDir, { flags });
  assert.deepEqual(settings.sendfileRoots, [join(projectDir, 'a'), '/b']);
  assert.deepEqual(settings.accelRoots, { '/v1.2/': join(projectDir, 'c') });
  assert.equal(settings.wellKnownRoot, join(projectDir, '../wk'));
});

test('the settings are frozen all the way down', (t) => {
  const { settings } = load(makeProject(t), { django: django({}, { a: { b: [1] } }) });
  const parts = [
    settings,
    settings.cheroot,
    settings.cheroot.a,
    settings.trustedProxies,
    settings.accelRoots,
  ];
  for (const part of parts) assert.equal(Object.isFrozen(part), true);
  assert.equal(Object.isFrozen((settings.cheroot.a as { b: unknown }).b), true);
});

test('one load leaves nothing behind for the next', (t) => {
  const projectDir = makeProject(t);
  assert.equal(load(projectDir, { env: { PORT: '1' } }).settings.port, 1);
  assert.equal(load(projectDir).settings.port, null);
  loadError(projectDir, { env: { PORT: 'x' } });
  assert.equal(load(projectDir).settings.port, null);
});

test('the settings survive the way to a worker', (t) => {
  const { settings } = load(makeProject(t), {
    django: django({ THREADS: 3 }, { numthreads: 1, 'a.b': null }),
  });
  assert.deepEqual(JSON.parse(JSON.stringify(settings)), settings);
});

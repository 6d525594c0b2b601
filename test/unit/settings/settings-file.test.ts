import assert from 'node:assert/strict';
import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { load, loadError, makeProject } from './project-folder.js';

const sameInAll: Readonly<Record<string, string>> = {
  'easyserve.toml':
    'host = "::1"\nport = 0\ncompress = false\nprocesses = "auto"\ntrustedProxies = [\n  "10.0.0.1", # one\n]\n[accelRoots]\n"/p/" = "/srv"\n',
  'easyserve.yaml':
    'host: "::1"\nport: 0\ncompress: false\nprocesses: auto\ntrustedProxies:\n  - 10.0.0.1 # one\naccelRoots:\n  /p/: /srv\n',
  'easyserve.yml':
    '# nothing but flow\n{host: "::1", port: 0, compress: false, processes: auto, trustedProxies: [10.0.0.1], accelRoots: {/p/: /srv}}',
  'easyserve.json':
    '{\n\t"host": "::1",\r\n\t"port": 0, "compress": false,\n\t"processes": "auto",\n\t"trustedProxies": ["10.0.0.1"],\n\t"accelRoots": {"/p/": "/srv"}}',
};

for (const [name, text] of Object.entries(sameInAll)) {
  test(`${name} is found and read`, (t) => {
    const projectDir = makeProject(t, { [name]: text });
    const { settings, origins, file } = load(projectDir);
    assert.equal(settings.host, '::1');
    assert.equal(settings.port, 0);
    assert.equal(settings.compress, false);
    assert.equal(settings.processes, 'auto');
    assert.deepEqual(settings.trustedProxies, ['10.0.0.1']);
    assert.deepEqual(settings.accelRoots, { '/p/': '/srv' });
    assert.equal(origins.host, name);
    assert.equal(file, join(projectDir, name));
  });
}

test('an empty file says nothing, with a byte order mark or comments only', (t) => {
  for (const [name, text] of [
    ['easyserve.toml', ''],
    ['easyserve.toml', '\ufeff# nothing\n'],
    ['easyserve.yaml', ''],
    ['easyserve.yaml', '# nothing\n'],
    ['easyserve.yaml', 'null\n'],
    ['easyserve.json', '\ufeff {}\n'],
  ] as const) {
    assert.equal(load(makeProject(t, { [name]: text })).settings.port, null);
  }
});

test('YAML aliases are followed, and do not grow without end', (t) => {
  const { settings } = load(makeProject(t, { 'easyserve.yaml': 'host: &h localhost\nhealthHost: *h\n' }));
  assert.equal(settings.healthHost, 'localhost');
  const rows = Array.from(
    { length: 12 },
    (_, row) => `  a${row}: &a${row} [${row === 0 ? 'x' : `*a${row - 1}, `.repeat(10)}]`,
  );
  const error = loadError(makeProject(t, { 'easyserve.yaml': `cheroot:\n${rows.join('\n')}\n` }));
  assert.equal(error.code, 'settings-syntax');
});

test('names of the prototype are names like others', (t) => {
  for (const [name, text] of [
    ['easyserve.toml', '__proto__ = 1\n'],
    ['easyserve.yaml', '__proto__: 1\n'],
    ['easyserve.json', '{"__proto__": 1}'],
    ['easyserve.toml', 'constructor = 1\n'],
  ] as const) {
    const error = loadError(makeProject(t, { [name]: text }));
    assert.equal(error.code, 'unknown-setting');
  }
  const { settings } = load(
    makeProject(t, { 'easyserve.json': '{"cheroot": {"__proto__": {"numthreads": 3}}}' }),
  );
  assert.equal(settings.threads, 'auto');
});

test('the cheroot table of the file gives the threads, unless the file sets them', (t) => {
  const table = '[cheroot]\nnumthreads = 20\n';
  const { settings, origins } = load(makeProject(t, { 'easyserve.toml': table }));
  assert.equal(settings.threads, 20);
  assert.equal(origins.threads, 'easyserve.toml');
  assert.equal(load(makeProject(t, { 'easyserve.toml': `threads = 4\n${table}` })).settings.threads, 4);
  const error = loadError(makeProject(t, { 'easyserve.toml': '[cheroot]\nnumthreads = 0\n' }));
  assert.match(error.message, /^easyserve\.toml line 1: cheroot numthreads must be /);
});

test('two settings files are an error that names both', (t) => {
  const projectDir = makeProject(t, { 'easyserve.toml': '', 'easyserve.json': '{}' });
  const error = loadError(projectDir);
  assert.equal(error.code, 'settings-ambiguous');
  assert.match(error.message, /: easyserve\.toml and easyserve\.json$/);
  assert.equal(load(projectDir, { configFile: 'easyserve.toml' }).file, join(projectDir, 'easyserve.toml'));
});

test('a named file is used in place of the search', (t) => {
  const projectDir = makeProject(t, { 'easyserve.toml': 'port = 1', 'conf/live.yml': 'port: 2' });
  const { settings, origins } = load(projectDir, { configFile: 'conf/live.yml' });
  assert.equal(settings.port, 2);
  assert.equal(origins.port, 'conf/live.yml');
  const elsewhere = makeProject(t, { 'x.json': '{"prot": 3}' });
  const path = join(elsewhere, 'x.json');
  assert.equal(loadError(projectDir, { configFile: path }).message, `${path} line 1: unknown setting "prot"`);
});

test('files that are missing, unreadable, of no known language, or no text', (t) => {
  const projectDir = makeProject(t, { 'a.ini': '', 'easyserve.toml': Buffer.from([0x61, 0xff]) });
  assert.equal(loadError(projectDir, { configFile: 'none.toml' }).code, 'settings-missing');
  assert.equal(loadError(projectDir, { configFile: 'a.ini' }).code, 'settings-language');
  assert.equal(loadError(projectDir).code, 'settings-syntax');
  const withFolder = makeProject(t);
  mkdirSync(join(withFolder, 'easyserve.toml'));
  assert.equal(loadError(withFolder).code, 'settings-unreadable');
});

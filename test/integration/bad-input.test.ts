import assert from 'node:assert/strict';
import { once } from 'node:events';
import { writeFileSync } from 'node:fs';
import { type AddressInfo, createServer } from 'node:net';
import { join } from 'node:path';
import { test } from 'node:test';
import { makePythonEnvironment } from '../support/bare-python.js';
import { copyFixture, makeTempDir } from '../support/copy-fixture.js';
import { runEasyserve } from '../support/run-easyserve.js';
import { startEasyserve } from '../support/start-easyserve.js';

// What a person can get wrong: each is one plain sentence with the fix, and an exit code of its own.

test('a port that is taken: names the process that holds it', async (t) => {
  const server = createServer().listen(0, '127.0.0.1');
  t.after(() => server.close());
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo;
  const dir = copyFixture('wsgi-hello', join(makeTempDir(t), 'site'));
  const { code, stderr } = await start(dir, '--host', '127.0.0.1', '--port', String(port));
  assert.equal(code, 6);
  assert.match(
    stderr,
    new RegExp(`^easyserve: Port ${port} is taken by process ${process.pid} \\(.+\\)\\.$`, 'm'),
  );
  assert.match(stderr, new RegExp(`fix: kill ${process.pid}, or easyserve start --port \\d+$`, 'm'));
});

test('a folder without an application: says what was looked for', async (t) => {
  const dir = makeTempDir(t);
  writeFileSync(join(dir, 'app.py'), 'greeting = "hello"\n');
  const { code, stderr } = await start(dir);
  assert.equal(code, 4);
  for (const looked of [
    'manage.py',
    'wsgi.py',
    'application.py',
    'create_app()',
    'app.py is there, but has none',
  ]) {
    assert.ok(stderr.includes(looked), `${looked} is missing in\n${stderr}`);
  }
  assert.match(stderr, /fix: easyserve start --set app=module:callable/);
});

test('Django is missing: names the interpreter and the command that installs it', async (t) => {
  const dir = copyFixture('django-minimal', join(makeTempDir(t), 'site'));
  const python = makePythonEnvironment(join(dir, '.venv'));
  const { code, stderr } = await runEasyserve(['start'], { cwd: dir, env: { VIRTUAL_ENV: undefined } });
  assert.equal(code, 4);
  assert.match(stderr, /^easyserve: Django is not installed\./m);
  assert.ok(stderr.includes(`The interpreter is ${python} (from .venv).`), stderr);
  assert.ok(stderr.includes(`fix: ${python} -m pip install django`), stderr);
});

const wrongSettings = [
  [
    'an unknown key',
    'easyserve.toml',
    '# our site\nport = 8000\ntheads = 4\n',
    /easyserve\.toml line 3.*theads/,
    /threads/,
  ],
  [
    'a malformed value',
    'easyserve.yaml',
    'port: 8000\nthreads: many\n',
    /easyserve\.yaml line 2.*threads/,
    /many/,
  ],
  [
    'what is no JSON',
    'easyserve.json',
    '{\n  "port": 8000,\n  "threads" 4\n}\n',
    /easyserve\.json line 3/,
    /./,
  ],
] as const;
for (const [what, file, text, where, more] of wrongSettings) {
  test(`settings with ${what}: names file and line, and starts nothing`, async (t) => {
    const dir = copyFixture('wsgi-hello', join(makeTempDir(t), 'site'));
    writeFileSync(join(dir, file), text);
    const { code, stdout, stderr } = await start(dir);
    assert.equal(code, 3, stderr);
    assert.match(stderr, where);
    assert.match(stderr, more);
    assert.equal(stdout, '');
  });
}

test('wrong settings on the command line and in the environment are named by where they stand', async (t) => {
  const dir = copyFixture('wsgi-hello', join(makeTempDir(t), 'site'));
  const byFlag = await start(dir, '--threads', 'no');
  assert.equal(byFlag.code, 3);
  assert.match(byFlag.stderr, /--threads/);
  const byEnvironment = await runEasyserve(['start'], { cwd: dir, env: { EASYSERVE_TREADS: '4' } });
  assert.equal(byEnvironment.code, 3);
  assert.match(byEnvironment.stderr, /EASYSERVE_TREADS/);
  assert.match(byEnvironment.stderr, /EASYSERVE_THREADS/);
});

test('a folder that does not exist', async (t) => {
  const { code, stderr } = await runEasyserve(['start', 'nowhere'], { cwd: makeTempDir(t) });
  assert.equal(code, 4);
  assert.match(stderr, /\/nowhere does not exist/);
});

test('a file in place of a folder', async (t) => {
  const dir = copyFixture('django-minimal', join(makeTempDir(t), 'site'));
  const { code, stderr } = await runEasyserve(['start', 'manage.py'], { cwd: dir });
  assert.equal(code, 4);
  assert.match(stderr, /^easyserve: \/.*\/manage\.py is a file; easyserve is given the project's folder\.$/m);
});

test('a second start of the same folder: names the first', async (t) => {
  const easyserve = await startEasyserve(t, { fixture: 'wsgi-hello', mode: 'single' });
  const { code, stderr } = await start(easyserve.dir, '--port', '0');
  assert.equal(code, 7);
  assert.ok(stderr.includes(`(process ${easyserve.pid})`), stderr);
  assert.match(stderr, /fix: `easyserve reload`/);
  assert.equal((await easyserve.status()).state, 'running');
});

test('every verb but start, config and check needs an instance', async (t) => {
  const dir = makeTempDir(t);
  for (const args of [['stop'], ['reload'], ['restart'], ['status'], ['scale', '2'], ['logs']]) {
    const { code, stderr } = await runEasyserve(args, { cwd: dir });
    assert.equal(code, 8, `${args} exited with ${code}\n${stderr}`);
    assert.ok(stderr.includes(`No instance is running for ${dir}.`), stderr);
    assert.match(stderr, /fix: `easyserve start`/);
  }
});

test('wrong command lines: exit code 2, and the nearest right one', async (t) => {
  const dir = makeTempDir(t);
  const wrong = [
    [['strat'], /did you mean start/],
    [['start', '--prot', '80'], /did you mean --port/],
    [['scale'], /processes/],
    [['scale', 'many'], /many/],
    [['logs', '-n', '-3'], /./],
    [[], /Usage: easyserve/],
  ] as const;
  for (const [args, expected] of wrong) {
    const { code, stdout, stderr } = await runEasyserve(args, { cwd: dir });
    assert.equal(code, 2, `easyserve ${args.join(' ')}\n${stderr}`);
    assert.match(stderr, expected);
    assert.equal(stdout, '');
  }
});

/** A start that is to fail. */
function start(dir: string, ...args: readonly string[]) {
  return runEasyserve(['start', dir, '--log-format', 'json', ...args], { cwd: dir });
}

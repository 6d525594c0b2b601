import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { chmodSync, mkdirSync, realpathSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { delimiter, dirname, join } from 'node:path';
import { type TestContext, test } from 'node:test';
import { findInterpreter, type InterpreterSearch } from '../../../src/project/interpreter.js';
import { type CommandRequest, type CommandResult, runCommand } from '../../../src/project/run-command.js';
import { testPython } from '../../support/python-env.js';
import { errorOf, makeProject } from './project-files.js';

/** An interpreter that every search may fall back on. */
const basePython = realpathSync(
  execFileSync(testPython(), ['-c', 'import sys; print(sys._base_executable)'], { encoding: 'utf8' }).trim(),
);

function find(root: string, more: Partial<InterpreterSearch> = {}) {
  return findInterpreter({
    root,
    named: root,
    env: { PATH: '' },
    setting: null,
    platform: 'linux',
    timeoutMs: 20_000,
    run: runCommand,
    ...more,
  });
}

/** A real virtual environment. */
function makeEnvironment(folder: string): string {
  execFileSync(basePython, ['-m', 'venv', '--without-pip', folder]);
  return join(folder, 'bin', 'python');
}

function writeScript(path: string, script: string): string {
  mkdirSync(dirname(path), { recursive: true });
  writeFileSync(path, `#!/bin/sh\n${script}\n`);
  chmodSync(path, 0o755);
  return path;
}

/** A folder for PATH with a tool that prints `answer`, after checking what it was asked. */
function makeTool(t: TestContext, name: string, args: string, script: string): string {
  const folder = makeProject(t, {});
  writeScript(join(folder, name), `[ "$*" = "${args}" ] || { echo "asked: $*"; exit 9; }\n${script}`);
  return folder;
}

/** PATH with a python3, behind other folders. */
function pathWithPython(t: TestContext, ...before: readonly string[]): string {
  const folder = makeProject(t, {});
  writeScript(join(folder, 'python3'), `exec ${basePython} "$@"`);
  return [...before, folder, '/bin', '/usr/bin'].join(delimiter);
}

test('a virtual environment in the folder is found by each usual name, in order', async (t) => {
  const root = makeProject(t, {});
  for (const name of ['of-another-name', 'myvenv', 'virtualenv', '.env', 'env', 'venv', '.venv']) {
    const path = makeEnvironment(join(root, name));
    const found = await find(root);
    assert.deepEqual({ path: found.path, source: found.source }, { path, source: name });
    assert.match(found.version, /^3\.\d+\.\d+$/);
  }
});

test('$VIRTUAL_ENV comes before what lies in the folder', async (t) => {
  const root = makeProject(t, {});
  makeEnvironment(join(root, '.venv'));
  const active = join(makeProject(t, {}), 'active');
  const path = makeEnvironment(active);
  const found = await find(root, { env: { PATH: '', VIRTUAL_ENV: active } });
  assert.deepEqual({ path: found.path, source: found.source }, { path, source: '$VIRTUAL_ENV' });
});

test('a $VIRTUAL_ENV that is gone is passed over, with the reason', async (t) => {
  const root = makeProject(t, {});
  const path = makeEnvironment(join(root, '.venv'));
  const found = await find(root, { env: { PATH: '', VIRTUAL_ENV: '/gone' } });
  assert.equal(found.path, path);
  assert.deepEqual(found.warnings, ['$VIRTUAL_ENV is /gone, but there is no /gone/bin/python.']);
});

test('a folder called env without an interpreter is no environment', async (t) => {
  const root = makeProject(t, { 'env/settings.txt': '' });
  const { source } = await find(root, { env: { PATH: pathWithPython(t) } });
  assert.equal(source, 'python3 of PATH');
});

test('the search goes up to the root of the repository, and no further', async (t) => {
  const top = makeProject(t, { 'repository/.git/HEAD': '', 'repository/apps/web/manage.py': '' });
  const root = join(top, 'repository', 'apps', 'web');
  makeEnvironment(join(top, '.venv'));
  assert.equal((await errorOf(find(root))).code, 'python-missing');
  const path = makeEnvironment(join(top, 'repository', '.venv'));
  assert.equal((await find(root)).path, path);
});

test('without a repository the search ends at the folder above the one that was named', async (t) => {
  const top = makeProject(t, { 'site/mysite/manage.py': '' });
  const root = join(top, 'site', 'mysite');
  const path = makeEnvironment(join(top, '.venv'));
  assert.equal((await errorOf(find(root))).code, 'python-missing');
  assert.equal((await find(root, { named: join(top, 'site') })).path, path);
  const nearer = makeEnvironment(join(top, 'site', '.venv'));
  assert.equal((await find(root)).path, nearer);
});

test('an environment in a folder above in which anybody may write is not run', async (t) => {
  const top = makeProject(t, { 'site/manage.py': '' });
  makeEnvironment(join(top, '.venv'));
  chmodSync(top, 0o1777);
  assert.equal((await errorOf(find(join(top, 'site')))).code, 'python-missing');
});

test('two environments of unusual names: none is guessed', async (t) => {
  const root = makeProject(t, { 'one/pyvenv.cfg': '', 'two/pyvenv.cfg': '' });
  for (const name of ['one', 'two']) makeEnvironment(join(root, name));
  assert.equal((await errorOf(find(root))).code, 'python-missing');
});

for (const [what, damage, reason] of [
  [
    'leads nowhere',
    (python: string) => symlinkSync('/usr/bin/python3.gone', python),
    (python: string) => `${python} leads to /usr/bin/python3.gone, which is not there.`,
  ],
  ['is missing', () => undefined, (python: string) => `There is no ${python}.`],
  [
    'is not executable',
    (python: string) => writeFileSync(python, '', { mode: 0o644 }),
    (python: string) => `${python} may not be run by this user.`,
  ],
] as const) {
  test(`an environment whose Python ${what} is an error, and the system's is not taken`, async (t) => {
    const root = makeProject(t, { 'requirements.txt': 'django' });
    const python = makeEnvironment(join(root, '.venv'));
    rmSync(python);
    damage(python);
    const error = await errorOf(find(root, { env: { PATH: pathWithPython(t) } }));
    assert.deepEqual(
      { code: error.code, message: error.message, hint: error.hint },
      {
        code: 'python-broken',
        message: reason(python),
        hint: `python3 -m venv --clear ${root}/.venv && ${python} -m pip install -r requirements.txt`,
      },
    );
    const other = makeEnvironment(join(root, 'venv'));
    const found = await find(root);
    assert.deepEqual([found.path, found.warnings], [other, [reason(python)]]);
  });
}

test('a broken environment of uv is made again by uv', async (t) => {
  const root = makeProject(t, { 'uv.lock': '', '.venv/pyvenv.cfg': '' });
  const error = await errorOf(find(root, { env: { PATH: pathWithPython(t) } }));
  assert.equal(error.hint, 'uv sync');
});

test('a repository more than three levels up is out of reach', async (t) => {
  const top = makeProject(t, { 'pyproject.toml': '', 'a/b/c/d/manage.py': '' });
  const path = makeEnvironment(join(top, '.venv'));
  assert.equal((await errorOf(find(join(top, 'a/b/c/d')))).code, 'python-missing');
  assert.equal((await find(join(top, 'a/b/c'))).path, path);
});

test('the setting may be a path, a relative path, a folder, or a name on PATH', async (t) => {
  const root = makeProject(t, {});
  const path = makeEnvironment(join(root, 'its-env'));
  const PATH = join(root, 'its-env', 'bin');
  for (const setting of [path, 'its-env/bin/python', 'its-env', './its-env', 'python3']) {
    const found = await find(root, { setting, env: { PATH, VIRTUAL_ENV: '/elsewhere' } });
    assert.equal(found.source, 'setting');
    assert.equal(dirname(found.path), PATH);
  }
});

test('a setting that leads nowhere is an error that names it', async (t) => {
  const root = makeProject(t, {});
  makeEnvironment(join(root, '.venv'));
  for (const setting of ['/no/such/python', 'no-such-python']) {
    const error = await errorOf(find(root, { setting }));
    assert.equal(error.code, 'python-missing');
    assert.match(error.message, new RegExp(setting));
  }
});

test('a path of the setting is kept, as it may be a wrapper', async (t) => {
  const root = makeProject(t, {});
  const setting = writeScript(join(root, 'wrapper'), `exec ${basePython} "$@"`);
  assert.equal((await find(root, { setting })).path, setting);
});

test('a shim on PATH is resolved to the interpreter that it stands for', async (t) => {
  const { path, source } = await find(makeProject(t, {}), { env: { PATH: pathWithPython(t) } });
  assert.deepEqual({ path: realpathSync(path), source }, { path: basePython, source: 'python3 of PATH' });
});

for (const [tool, args, files] of [
  ['poetry', 'env info --executable', { 'poetry.lock': '' }],
  ['poetry', 'env info --executable', { 'pyproject.toml': '[project]\nname = "x"\n[tool.poetry]\n' }],
  ['pipenv', '--py', { Pipfile: '' }],
  ['uv', 'python find', { 'uv.lock': '' }],
] as const) {
  test(`${tool} is asked where there is ${Object.keys(files)[0]}`, async (t) => {
    const root = makeProject(t, files);
    const path = makeEnvironment(join(makeProject(t, {}), 'made-by-tool'));
    const PATH = pathWithPython(t, makeTool(t, tool, args, `echo "Loading…" >&2; echo Note; echo ${path}`));
    const found = await find(root, { env: { PATH } });
    assert.deepEqual(
      { path: found.path, source: found.source, warnings: found.warnings },
      { path, source: tool, warnings: [] },
    );
  });
}

test('a tool is asked in the folder of its file', async (t) => {
  const top = makeProject(t, { 'pyproject.toml': '', 'poetry.lock': '', 'web/manage.py': '' });
  const asked: CommandRequest[] = [];
  const run = (request: CommandRequest): Promise<CommandResult> => {
    asked.push(request);
    return runCommand(request);
  };
  const PATH = pathWithPython(t, makeTool(t, 'poetry', 'env info --executable', `echo ${testPython()}`));
  await find(join(top, 'web'), { env: { PATH }, run });
  assert.equal(asked[0]?.cwd, top);
});

test('pyproject.toml without Poetry is not a project of poetry', async (t) => {
  const root = makeProject(t, { 'pyproject.toml': '[project]\nname = "x"\n' });
  const PATH = pathWithPython(t, makeTool(t, 'poetry', '', 'exit 1'));
  assert.deepEqual((await find(root, { env: { PATH } })).warnings, []);
});

for (const [what, script, reason] of [
  ['fails', 'echo "no environment" >&2; exit 1', 'failed: no environment'],
  ['names nothing', 'true', 'named no interpreter: '],
  ['names a folder', 'echo /usr', 'named no interpreter: /usr'],
] as const) {
  test(`a tool that ${what} is passed over, with the reason`, async (t) => {
    const root = makeProject(t, { Pipfile: '' });
    const PATH = pathWithPython(t, makeTool(t, 'pipenv', '--py', script));
    const found = await find(root, { env: { PATH } });
    assert.equal(found.source, 'python3 of PATH');
    assert.deepEqual(found.warnings, [`${root} is a project of pipenv, but \`pipenv --py\` ${reason}.`]);
  });
}

test('a tool that hangs is passed over at the deadline', async (t) => {
  const root = makeProject(t, { Pipfile: '' });
  const PATH = pathWithPython(t, makeTool(t, 'pipenv', '--py', ''));
  const run = async (request: CommandRequest): Promise<CommandResult> => {
    const result = await runCommand(request);
    return request.args[0] === '--py' ? { ...result, isTimedOut: true, code: null } : result;
  };
  const found = await find(root, { env: { PATH }, run });
  assert.match(found.warnings[0] ?? '', /`pipenv --py` took longer than 20000 ms/);
});

test('a tool that cannot be started is passed over', async (t) => {
  const root = makeProject(t, { Pipfile: '' });
  const folder = makeProject(t, { pipenv: '#!/no/such/shell\n' });
  chmodSync(join(folder, 'pipenv'), 0o755);
  const found = await find(root, { env: { PATH: pathWithPython(t, folder) } });
  assert.match(found.warnings[0] ?? '', /`pipenv --py` cannot be started: .*ENOENT/);
});

test('a project of a tool that is not installed says so', async (t) => {
  const root = makeProject(t, { Pipfile: '' });
  const found = await find(root, { env: { PATH: pathWithPython(t) } });
  assert.deepEqual(found.warnings, [`${root} is a project of pipenv, but there is no pipenv on PATH.`]);
});

test('$UV_PROJECT_ENVIRONMENT counts in a project of uv, relative to its folder', async (t) => {
  const root = makeProject(t, { 'uv.lock': '' });
  const path = makeEnvironment(join(root, 'uv-env'));
  const found = await find(root, { env: { PATH: '', UV_PROJECT_ENVIRONMENT: 'uv-env' } });
  assert.deepEqual({ path: found.path, source: found.source }, { path, source: '$UV_PROJECT_ENVIRONMENT' });
});

test('the Python that pdm keeps the path of, and one that is gone', async (t) => {
  const root = makeProject(t, { 'pdm.lock': '' });
  const path = makeEnvironment(join(root, 'of-pdm'));
  writeFileSync(join(root, '.pdm-python'), `${path}\n`);
  assert.deepEqual(await find(root).then(({ source, ...found }) => [source, found.path]), ['pdm', path]);
  writeFileSync(join(root, '.pdm-python'), '/gone/python');
  rmSync(join(root, 'of-pdm'), { recursive: true });
  const { warnings } = await find(root, { env: { PATH: pathWithPython(t) } });
  assert.deepEqual(warnings, [`${root}/.pdm-python names /gone/python, which can't be run: pdm install`]);
});

test('nothing found: the error says how to install', async (t) => {
  const error = await errorOf(find(makeProject(t, { Pipfile: '' })));
  assert.deepEqual({ code: error.code, exitCode: error.exitCode }, { code: 'python-missing', exitCode: 4 });
  assert.match(error.hint ?? '', /apt install python3.*--set python=/);
  assert.match(error.detail ?? '', /there is no pipenv on PATH/);
});

for (const [version, isTaken] of [
  ['2.7.18', false],
  ['3.7.17', false],
  ['3.8.0', true],
  ['3.14.0', true],
  ['4.0.0', true],
] as const) {
  test(`Python ${version} is ${isTaken ? 'taken' : 'refused'}`, async (t) => {
    const root = makeProject(t, {});
    const path = writeScript(
      join(root, '.venv/bin/python'),
      `echo ${join(root, '.venv/bin/python')}; echo ${version}`,
    );
    if (isTaken) {
      assert.equal((await find(root)).version, version);
      return;
    }
    const error = await errorOf(find(root));
    assert.equal(error.code, 'python-too-old');
    assert.equal(
      error.message,
      `The interpreter ${path} (from .venv) is Python ${version}; 3.8 is the oldest that works.`,
    );
  });
}

for (const [what, script, detail] of [
  ['fails', 'echo "libpython is missing" >&2; exit 127', /libpython is missing/],
  ['is no Python', 'echo hello', /hello/],
] as const) {
  test(`an interpreter that ${what} is an error with what it printed`, async (t) => {
    const root = makeProject(t, {});
    writeScript(join(root, '.venv/bin/python'), script);
    const error = await errorOf(find(root));
    assert.equal(error.code, 'python-broken');
    assert.match(error.detail ?? '', detail);
  });
}

test('an interpreter that cannot be started is an error', async (t) => {
  const root = makeProject(t, { '.venv/bin/python': '#!/no/such/python\n' });
  chmodSync(join(root, '.venv/bin/python'), 0o755);
  const error = await errorOf(find(root));
  assert.equal(error.code, 'python-broken');
  assert.match(error.message, /\.venv\/bin\/python \(from \.venv\) cannot be started/);
});

test('Windows has its interpreters elsewhere', async (t) => {
  const root = makeProject(t, {});
  const python = writeScript(join(root, '.venv/Scripts/python.exe'), `exec ${basePython} "$@"`);
  const answer = `${python}\n3.12.1`;
  const run = async (request: CommandRequest): Promise<CommandResult> => ({
    ...(await runCommand(request)),
    stdout: answer,
  });
  assert.equal((await find(root, { platform: 'win32', run })).path, python);
});

test('an abort ends the search', async (t) => {
  const root = makeProject(t, { Pipfile: '' });
  const PATH = pathWithPython(t, makeTool(t, 'pipenv', '--py', 'exec sleep 1000'));
  const controller = new AbortController();
  const run = (request: CommandRequest): Promise<CommandResult> => {
    const running = runCommand(request);
    controller.abort(new Error('stop'));
    return running;
  };
  await assert.rejects(find(root, { env: { PATH }, signal: controller.signal, run }), /^Error: stop$/);
});

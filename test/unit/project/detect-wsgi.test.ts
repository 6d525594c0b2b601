import assert from 'node:assert/strict';
import { readFileSync, renameSync, symlinkSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { interpreterOf } from '../../../src/contracts/project-facts.js';
import { eventually } from '../../support/eventually.js';
import { isAlive } from '../../support/processes.js';
import { detect, errorOf, makeProject, wsgiCallable } from './project-files.js';

/** Hangs without using the processor, as a connection that is never answered does. */
const hang = 'import threading\nthreading.Event().wait()\n';
const shortTimeoutMs = 2500;

for (const [what, files, application] of [
  ['wsgi.py', { 'wsgi.py': wsgiCallable('application') }, 'wsgi:application'],
  ['app.py', { 'app.py': wsgiCallable('app') }, 'app:app'],
  ['application.py', { 'application.py': wsgiCallable('app') }, 'application:app'],
  ['wsgi.py before app.py', { 'app.py': wsgiCallable('app'), 'wsgi.py': wsgiCallable('app') }, 'wsgi:app'],
  [
    'application before app',
    { 'app.py': wsgiCallable('app') + wsgiCallable('application') },
    'app:application',
  ],
  ['a file without one passed over', { 'wsgi.py': 'x = 1\n', 'app.py': wsgiCallable('app') }, 'app:app'],
  [
    'create_app()',
    { 'app.py': `${wsgiCallable('f')}def create_app(config=None): return f\n` },
    'app:create_app()',
  ],
  ['make_app()', { 'app.py': `${wsgiCallable('f')}def make_app(): return f\n` }, 'app:make_app()'],
  ['a callable before a factory', { 'app.py': `${wsgiCallable('app')}def create_app(): 1/0\n` }, 'app:app'],
  [
    'a module called app passed over',
    { 'wsgi.py': `import json as app\n${wsgiCallable('f')}def make_app(): return f\n` },
    'wsgi:make_app()',
  ],
  [
    'an object like that of Flask',
    {
      'app.py': 'class Flask:\n    def __call__(self, environ, start_response): return []\napp = Flask()\n',
    },
    'app:app',
  ],
  [
    'a class whose instances are the responses',
    { 'app.py': 'class app:\n    def __init__(self, environ, start_response): pass\n' },
    'app:app',
  ],
] as const) {
  test(`found: ${what}`, async (t) => {
    const root = makeProject(t, files);
    const project = await detect(root);
    assert.equal(project.application, application);
    assert.equal(project.kind, 'wsgi');
    assert.equal(project.root, root);
  });
}

for (const [app, file] of [
  ['web.main:site', 'web/main.py'],
  ['web.main:make()', 'web/main.py'],
  ['web.main:holder.site', 'web/main.py'],
  ['web:site', 'web/__init__.py'],
] as const) {
  test(`given: ${app}`, async (t) => {
    const code = `${wsgiCallable('site')}def make(): return site\nclass holder: site = staticmethod(site)\n`;
    const project = await detect(makeProject(t, { [file]: code, 'app.py': '1/0' }), { settings: { app } });
    assert.deepEqual(
      { kind: project.kind, application: project.application },
      { kind: 'wsgi', application: app },
    );
  });
}

test('the whole project, as it is reported', async (t) => {
  const root = makeProject(t, { 'app.py': wsgiCallable('app') });
  const project = await detect(root);
  assert.ok('python' in project);
  const { python, applicationRssBytes, ...rest } = project;
  assert.deepEqual(rest, {
    kind: 'wsgi',
    root,
    application: 'app:app',
    server: 'gateway',
    environment: { reads: [], files: [] },
    warnings: [],
  });
  assert.equal(python?.isGilEnabled, true);
  assert.ok((applicationRssBytes ?? 0) > 1024 * 1024);
});

test('the project sees itself first on sys.path, nothing of ours, and no arguments', async (t) => {
  const check = `import os, sys
assert sys.path[0] == os.path.dirname(os.path.abspath(__file__)), sys.path
assert not [entry for entry in sys.path if os.path.exists(os.path.join(entry, 'inspect_application.py'))], sys.path
assert sys.argv[1:] == [], sys.argv
import colorsys
assert colorsys.IS_THE_PROJECTS
`;
  const own = { 'colorsys.py': 'IS_THE_PROJECTS = True\n' };
  for (const env of [{}, { PYTHONSAFEPATH: '1' }]) {
    const root = makeProject(t, { 'app.py': check + wsgiCallable('app'), ...own });
    assert.equal((await detect(root, { env: { PATH: process.env.PATH, ...env } })).application, 'app:app');
  }
});

test('what is printed at import is not taken for the answer', async (t) => {
  const noise = 'import os\nprint("{}")\nos.write(1, b"{}")\nos.write(2, b"x" * 100000)\n';
  const { application } = await detect(makeProject(t, { 'app.py': noise + wsgiCallable('app') }));
  assert.equal(application, 'app:app');
});

test('a thread that goes on does not hold up the answer', async (t) => {
  const thread = `import threading\nthreading.Thread(target=threading.Event().wait).start()\n`;
  const { application } = await detect(makeProject(t, { 'app.py': thread + wsgiCallable('app') }));
  assert.equal(application, 'app:app');
});

test('a process that the project starts at import is gone afterwards', async (t) => {
  const start = `import subprocess
child = subprocess.Popen(['sleep', '1000'])
open('child', 'w').write(str(child.pid))
`;
  const root = makeProject(t, { 'app.py': start + wsgiCallable('app') });
  await detect(root);
  const pid = Number(readFileSync(join(root, 'child'), 'utf8'));
  await eventually(() => assert.equal(isAlive(pid), false));
});

test('a symbolic link is followed anew each time', async (t) => {
  const folder = makeProject(t, { 'one/app.py': wsgiCallable('app'), 'two/wsgi.py': wsgiCallable('app') });
  const link = join(folder, 'current');
  symlinkSync('one', link);
  assert.equal((await detect(link)).root, join(folder, 'one'));
  symlinkSync('two', `${link}.new`);
  renameSync(`${link}.new`, link);
  const { root, application } = await detect(link);
  assert.deepEqual({ root, application }, { root: join(folder, 'two'), application: 'wsgi:app' });
});

for (const [code, app, source, message, detail] of [
  ['application-module-missing', 'nothere:app', '', /no module 'nothere' in /, /No module named 'nothere'/],
  ['application-module-missing', 'app.sub:app', '', /no module 'app.sub' in /, /'app' is not a package/],
  ['application-callable-missing', 'app:application', '', /'app' has no 'application'/, undefined],
  [
    'application-not-callable',
    'app:app',
    'app = 5',
    /'app:app' cannot be called: its type is int/,
    undefined,
  ],
  [
    'application-not-callable',
    'app:app()',
    'app = 5',
    /'app:app' is no factory, but of the type int/,
    undefined,
  ],
  [
    'application-not-callable',
    'app:make()',
    'def make(): return None',
    /cannot be called: its type is NoneType/,
    undefined,
  ],
  [
    'application-not-callable',
    'app:app',
    'def app(x): pass',
    /does not take \(environ, start_response\)/,
    undefined,
  ],
  [
    'application-raises',
    'app:app',
    'x = {}["SECRET"]',
    /'app' failed: KeyError: 'SECRET'/,
    /app\.py", line 1/,
  ],
  [
    'application-raises',
    'app:app',
    'def x(:',
    /SyntaxError: invalid syntax \(app\.py, line 1\)/,
    /app\.py", line 1/,
  ],
  [
    'application-raises',
    'app:app',
    'import flask_missing',
    /No module named 'flask_missing'/,
    /app\.py", line 1/,
  ],
  ['application-raises', 'app:app', 'raise KeyboardInterrupt', /'app' failed: KeyboardInterrupt/, /line 1/],
  ['application-raises', 'app:f()', 'def f(): 1/0', /'app:f\(\)' failed: ZeroDivisionError/, /line 1, in f/],
  [
    'application-exits',
    'app:app',
    'import sys; sys.exit(3)',
    /ended the process by sys\.exit\(3\)/,
    /line 1/,
  ],
  [
    'application-exits',
    'app:f()',
    'def f(): raise SystemExit',
    /ended the process by sys\.exit\(None\)/,
    /in f/,
  ],
  [
    'application-dies',
    'app:app',
    'import os; print("bye", flush=True); os._exit(7)',
    /ended with exit code 7/,
    /^bye$/,
  ],
  ['application-dies', 'app:app', 'import os; os.abort()', /ended by the signal SIGABRT/, undefined],
] as const) {
  test(`${code}: ${app} of ${JSON.stringify(source)}`, async (t) => {
    const error = await errorOf(detect(makeProject(t, { 'app.py': source }), { settings: { app } }));
    assert.equal(error.code, code);
    assert.equal(error.exitCode, 4);
    assert.match(error.message, message);
    if (detail === undefined) assert.equal(error.detail, undefined);
    else assert.match(error.detail ?? '', detail);
    assert.doesNotMatch(error.detail ?? '', /easyserve_inspection|importlib/);
  });
}

test('a factory that is named without its parentheses gets a hint', async (t) => {
  const root = makeProject(t, { 'app.py': 'def create_app(): pass\n' });
  const error = await errorOf(detect(root, { settings: { app: 'app:create_app' } }));
  assert.equal(error.hint, "If that is a factory: easyserve start --set 'app=app:create_app()'");
});

test('a package that is missing gets a hint where there is a requirements.txt', async (t) => {
  const root = makeProject(t, { 'app.py': 'import flask_missing\n', 'requirements.txt': '' });
  const error = await errorOf(detect(root));
  assert.match(error.message, /No module named 'flask_missing'\. The interpreter is .* \(from setting\)\.$/);
  assert.match(error.hint ?? '', /python -m pip install -r requirements\.txt$/);
});

test('a project that hangs at import is ended at the deadline, and the error shows where', async (t) => {
  const root = makeProject(t, { 'app.py': hang });
  const error = await errorOf(detect(root, { timeoutMs: shortTimeoutMs }));
  assert.equal(error.code, 'application-hangs');
  assert.equal(error.message, 'The project did not finish loading within 2.5 seconds.');
  assert.match(error.detail ?? '', /app\.py", line 2, in <module>/);
});

test('an abort ends the inspection with its process', async (t) => {
  const root = makeProject(t, {
    'app.py': `import os\nopen('pid', 'w').write(str(os.getpid()) + '.')\n${hang}`,
  });
  const controller = new AbortController();
  const detecting = detect(root, { signal: controller.signal });
  const pid = await eventually(() => {
    const text = readFileSync(join(root, 'pid'), 'utf8');
    assert.match(text, /\.$/);
    return Number.parseInt(text, 10);
  });
  controller.abort(new Error('stop'));
  await assert.rejects(detecting, /^Error: stop$/);
  assert.equal(isAlive(pid), false);
});

test('nothing there: the error lists what was looked for', async (t) => {
  const root = makeProject(t, { 'package.json': '{}' });
  const error = await errorOf(detect(root));
  assert.equal(error.code, 'no-application');
  assert.equal(
    error.hint,
    'easyserve start --set app=module:callable, or --set command="…" for any other server',
  );
  for (const name of ['manage.py', 'wsgi.py', 'app.py', 'application.py']) {
    assert.ok(error.detail?.includes(name), name);
  }
});

test('files without an application: the error names them', async (t) => {
  const error = await errorOf(detect(makeProject(t, { 'app.py': 'def create_app(config): pass\n' })));
  assert.equal(error.code, 'no-application');
  assert.match(error.detail ?? '', /app\.py is there, but has none of these/);
});

test('a folder that is not there, or is a file', async (t) => {
  const root = makeProject(t, { file: '' });
  for (const path of [join(root, 'gone'), join(root, 'file')]) {
    const error = await errorOf(detect(path));
    assert.deepEqual([error.code, error.message], ['folder-missing', `There is no folder ${path}.`]);
  }
});

test('the free-threaded state is the one that Python reports after the import', async (t) => {
  const fake = 'import sys\nsys._is_gil_enabled = lambda: False\n';
  const project = await detect(makeProject(t, { 'app.py': fake + wsgiCallable('app') }));
  assert.equal(interpreterOf(project)?.isGilEnabled, false);
});

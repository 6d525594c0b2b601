import assert from 'node:assert/strict';
import { once } from 'node:events';
import { type AddressInfo, createServer } from 'node:net';
import { join } from 'node:path';
import { test } from 'node:test';
import { detect, errorOf, makeProject, wsgiCallable } from './project-files.js';

const fastApi = 'async def app(scope, receive, send):\n    pass\n';
const flask = `${wsgiCallable('hello')}\ndef create_app(test_config=None):\n    return hello\n`;
const nothing = 'raise SystemExit("not the application")\n';

for (const [what, files, application, pythonPath] of [
  ['FastAPI in app/main.py', { 'app/__init__.py': '', 'app/main.py': fastApi }, 'app.main:app'],
  ['the same without __init__.py', { 'app/main.py': fastApi }, 'app.main:app'],
  [
    'FastAPI in src/app/main.py',
    {
      'src/app/__init__.py': '',
      'src/app/main.py': `from app.part import value\n${fastApi}`,
      'src/app/part.py': 'value = 1',
    },
    'app.main:app',
    'src',
  ],
  ['src/main.py', { 'src/main.py': fastApi }, 'main:app', 'src'],
  ['a Flask package', { 'flaskr/__init__.py': flask, 'tests/__init__.py': nothing }, 'flaskr:create_app()'],
  [
    'what .flaskenv names',
    { '.flaskenv': 'FLASK_APP=microblog.py\n', 'microblog.py': wsgiCallable('app'), 'app.py': nothing },
    'microblog:app',
  ],
  [
    'a factory that .env names',
    { '.env': 'DEBUG=1\nexport FLASK_APP="shop:create_app"\n', 'shop/__init__.py': flask },
    'shop:create_app()',
  ],
  ['server.py', { 'server.py': wsgiCallable('app') }, 'server:app'],
  [
    'server.py that is no application',
    { 'server.py': nothing, 'shop/app.py': wsgiCallable('application') },
    'shop.app:application',
  ],
] as const) {
  test(`${what}: ${application}`, async (t) => {
    const root = makeProject(t, files);
    const project = await detect(root);
    assert.ok(project.kind === 'wsgi' || project.kind === 'asgi');
    assert.equal(project.application, application);
    assert.equal(project.pythonPath, pythonPath && join(root, pythonPath));
    assert.equal(project.root, root);
  });
}

test('FLASK_APP of the environment comes first, and the setting app before all', async (t) => {
  const root = makeProject(t, {
    'one.py': wsgiCallable('app'),
    '.flaskenv': 'FLASK_APP=two',
    'src/three.py': wsgiCallable('app'),
  });
  const env = { PATH: process.env.PATH, FLASK_APP: 'one' };
  assert.equal((await detect(root, { env })).application, 'one:app');
  const named = await detect(root, { env, settings: { app: 'three:app' } });
  assert.ok(named.kind === 'wsgi');
  assert.deepEqual([named.application, named.pythonPath], ['three:app', join(root, 'src')]);
});

for (const [what, file, line] of [
  ['wsgiref, as Bottle does it', 'app.py', 'make_server("127.0.0.1", 0, app).serve_forever()'],
  ['another one, in server.py', 'server.py', 'serve(app)'],
] as const) {
  test(`a module that starts a server when it is imported is named within seconds: ${what}`, async (t) => {
    const root = makeProject(t, {
      [file]: [
        'from wsgiref.simple_server import make_server',
        wsgiCallable('app'),
        'def serve(app):',
        '    make_server("127.0.0.1", 0, app).serve_forever()',
        '',
        line,
        '',
      ].join('\n'),
    });
    // Far from the deadline, which is another error.
    const error = await errorOf(detect(root, { timeoutMs: 60_000 }));
    assert.equal(error.code, 'application-serves-itself');
    assert.match(error.message, new RegExp(`^${file}, line \\d+, starts a server of its own`));
    assert.match(error.hint ?? '', /__main__/);
  });
}

test('a server of its own that ends the import is named too: with a reloader, and where its port is taken', async (t) => {
  const taken = createServer().listen(0, '127.0.0.1');
  t.after(() => taken.close());
  await once(taken, 'listening');
  const { port } = taken.address() as AddressInfo;
  for (const line of ['app.run(port=0, debug=True)', `app.run(port=${port})`]) {
    const root = makeProject(t, {
      'app.py': `from flask import Flask\napp = Flask(__name__)\n${line}\n`,
    });
    const error = await errorOf(detect(root));
    assert.equal(error.code, 'application-serves-itself', error.message);
    assert.match(error.message, /^app\.py, line 3, starts a server of its own/);
  }
});

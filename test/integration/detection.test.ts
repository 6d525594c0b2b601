import assert from 'node:assert/strict';
import { appendFileSync, mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { makePythonEnvironment } from '../support/bare-python.js';
import { copyFixture, makeTempDir } from '../support/copy-fixture.js';
import { integrationTimeoutMs } from '../support/for-each-mode.js';
import { ask } from '../support/http-client.js';
import { testVirtualEnv } from '../support/python-env.js';
import { runEasyserve } from '../support/run-easyserve.js';
import { startEasyserve } from '../support/start-easyserve.js';

const timeout = integrationTimeoutMs;

for (const name of ['.venv', 'venv', 'env']) {
  test(`the interpreter of the project's ${name}`, { timeout }, async (t) => {
    const easyserve = await startEasyserve(t, {
      fixture: 'wsgi-hello',
      mode: 'single',
      env: { VIRTUAL_ENV: undefined },
      prepare: (dir) => void makePythonEnvironment(join(dir, name)),
    });
    const { project } = await easyserve.status();
    assert.equal(project.python, join(easyserve.dir, name, 'bin', 'python'));
    assert.equal((await ask(easyserve.url, '/version')).status, 200);
  });
}

test('the interpreter of $VIRTUAL_ENV comes first', { timeout }, async (t) => {
  const easyserve = await startEasyserve(t, {
    fixture: 'wsgi-hello',
    mode: 'single',
    prepare: (dir) => void makePythonEnvironment(join(dir, '.venv')),
  });
  const { project } = await easyserve.status();
  assert.ok(project.python?.startsWith(join(testVirtualEnv(), 'bin')), project.python);
});

test('a $VIRTUAL_ENV that is not there is passed over, and said so at start and reload', {
  timeout,
}, async (t) => {
  const easyserve = await startEasyserve(t, {
    fixture: 'wsgi-hello',
    mode: 'single',
    env: { VIRTUAL_ENV: '/nowhere/venv' },
    prepare: (dir) => void makePythonEnvironment(join(dir, 'venv')),
  });
  const warnings = () => easyserve.records.filter(({ event }) => event === 'project-warning');
  assert.equal(warnings().length, 1);
  assert.match(String(warnings()[0]?.msg), /^\$VIRTUAL_ENV is \/nowhere\/venv, but there is no /);
  assert.equal((await easyserve.cli('reload')).code, 0);
  assert.equal(warnings().length, 2);
});

/** Where a plain WSGI application is found, and under which names. */
const plain = [
  { file: 'wsgi.py', code: 'application = hello', found: 'wsgi:application' },
  { file: 'app.py', code: 'app = hello', found: 'app:app' },
  { file: 'application.py', code: 'application = hello', found: 'application:application' },
  { file: 'app.py', code: 'def create_app():\n    return hello', found: 'app:create_app()' },
  { file: 'site_of_ours.py', code: 'served = hello', found: 'site_of_ours:served', given: true },
];
const hello = `def hello(environ, start_response):
    start_response('200 OK', [('Content-Type', 'text/plain')])
    return [b'hello\\n']


`;
for (const { file, code, found, given } of plain) {
  test(`a WSGI application ${given ? 'that is named' : 'that is found'}: ${found}`, {
    timeout,
  }, async (t) => {
    const dir = makeTempDir(t);
    writeFileSync(join(dir, file), `${hello}${code}\n`);
    const args = given ? ['--set', `app=${found}`] : [];
    const easyserve = await startEasyserve(t, { dir, mode: 'single', args });
    assert.equal((await easyserve.status()).project.application, found);
    assert.equal((await ask(easyserve.url, '/')).text, 'hello\n');
  });
}

test('a Flask application', { timeout }, async (t) => {
  const dir = makeTempDir(t);
  writeFileSync(
    join(dir, 'app.py'),
    `from flask import Flask, request

app = Flask(__name__)


@app.post('/greet/<name>')
def greet(name):
    return {'greeting': f'Hello {name}', 'from': request.form['from'], 'url': request.base_url}
`,
  );
  const easyserve = await startEasyserve(t, { dir, mode: 'cluster' });
  const { status, text } = await ask(easyserve.url, '/greet/Ren%C3%A9', {
    method: 'POST',
    headers: { 'Content-Type': 'application/x-www-form-urlencoded' },
    body: 'from=Zo%C3%AB',
  });
  assert.equal(status, 200, text);
  assert.deepEqual(JSON.parse(text), {
    greeting: 'Hello René',
    from: 'Zoë',
    url: `${easyserve.url}greet/René`,
  });
});

test('a project that prints at import', { timeout }, async (t) => {
  const easyserve = await startEasyserve(t, {
    fixture: 'django-minimal',
    mode: 'single',
    prepare: (dir) =>
      appendFileSync(
        join(dir, 'minimal/settings.py'),
        `
print('{"report": {"application": "nonsense"}}', flush=True)
os.write(2, b'and to stderr\\n')
`,
      ),
  });
  assert.equal((await ask(easyserve.url, '/', { headers: { Host: 'localhost' } })).text, 'Hello, world!\n');
});

test('manage.py in a folder of the one that is named', { timeout }, async (t) => {
  const dir = makeTempDir(t);
  copyFixture('django-minimal', join(dir, 'backend'));
  mkdirSync(join(dir, 'frontend'));
  const easyserve = await startEasyserve(t, { dir, mode: 'single' });
  const { project } = await easyserve.status();
  assert.deepEqual([project.kind, project.root], ['django', join(dir, 'backend')]);
  assert.equal((await ask(easyserve.url, '/', { headers: { Host: 'localhost' } })).status, 200);
});

test('two folders with manage.py: says which, and how to choose', { timeout }, async (t) => {
  const dir = makeTempDir(t);
  for (const name of ['blog', 'shop']) copyFixture('django-minimal', join(dir, name));
  const { code, stderr } = await runEasyserve(['start', dir], { cwd: dir });
  assert.equal(code, 4);
  assert.ok(stderr.includes(join(dir, 'blog', 'manage.py')), stderr);
  assert.ok(stderr.includes(join(dir, 'shop', 'manage.py')), stderr);
  assert.ok(stderr.includes(`fix: easyserve start ${join(dir, 'blog')}`), stderr);
});

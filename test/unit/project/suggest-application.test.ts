import assert from 'node:assert/strict';
import { test } from 'node:test';
import { detect, errorOf, makeProject, wsgiCallable } from './project-files.js';

const flask = (name: string): string => `from flask import Flask\n${name} = Flask(__name__)\n`;
const listening = 'require("node:http").createServer().listen(process.env.PORT);\n';

// What has no usual name isn't run: the line that would is the hint, and it works as it stands.
for (const [what, files, line, kind] of [
  ['another file name', { 'hello.py': wsgiCallable('app') }, 'app=hello:app', 'wsgi'],
  ['another variable', { 'run.py': flask('server') }, 'app=run:server', 'wsgi'],
  ['a module of a package', { 'shop/web.py': flask('app') }, 'app=shop.web:app', 'wsgi'],
  ['the same below src', { 'src/shop/web.py': flask('app') }, 'app=shop.web:app', 'wsgi'],
  [
    'a factory',
    { 'shop/web.py': `def build_app():\n    return one\n\n\n${wsgiCallable('one')}`.replace('environ', 'e') },
    "'app=shop.web:build_app()'",
    'wsgi',
  ],
  [
    'a Procfile with gunicorn',
    {
      Procfile: 'release: ./migrate\nweb: gunicorn --workers 3 -b 0.0.0.0:$PORT shop --log-file -\n',
      'shop.py': wsgiCallable('application'),
    },
    'app=shop:application',
    'wsgi',
  ],
  [
    'a Procfile with another program',
    { Procfile: 'web: bin/serve --port $PORT\r\n' },
    "'command=bin/serve --port $PORT'",
    'command',
  ],
  ['a server of Node.js without a package', { 'src/start.js': listening }, 'app=src/start.js', 'node'],
  ['a folder with the pages', { 'public/index.html': '' }, 'folder=public', 'folder'],
  ['pages, and none of them the first', { 'home.html': '' }, 'folder=.', 'folder'],
  [
    'Streamlit',
    { 'app.py': 'if False:\n    import streamlit\n', 'ui.py': 'import streamlit as st\n' },
    "'command=streamlit run ui.py --server.port $PORT --server.address $HOST'",
    'command',
  ],
] as const) {
  test(`${what}: ${line}`, async (t) => {
    const root = makeProject(t, files);
    const { code, hint } = await errorOf(detect(root));
    assert.deepEqual([code, hint], ['no-application', `easyserve start --set ${line}`]);
    const [, key = '', value = ''] = /^'?(\w+)=(.*?)'?$/.exec(line) ?? [];
    const setting = key === 'folder' ? `${root}/${value}` : value;
    assert.equal((await detect(root, { settings: { [key]: setting } })).kind, kind);
  });
}

test('nothing that serves anything: how an application is named', async (t) => {
  const files = {
    'README.md': '',
    'setup.py': 'from setuptools import setup\nsetup()\n',
    'tests/app.html': '',
  };
  const { hint } = await errorOf(detect(makeProject(t, files)));
  assert.match(hint ?? '', /^easyserve start --set app=module:callable/);
});

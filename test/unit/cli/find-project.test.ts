import assert from 'node:assert/strict';
import { mkdirSync, realpathSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { findProject, findSources } from '../../../src/cli/find-project.js';
import { errorOf, makeProject } from '../project/project-files.js';

function find(cwd: string): Promise<string> {
  return findProject({ base: undefined, dir: undefined }, { cwd, env: {} });
}

test('the folder with the settings file is the project, from both folders', async (t) => {
  for (const file of ['easyserve.toml', 'mysite/easyserve.yaml']) {
    const outer = realpathSync(makeProject(t, { 'mysite/manage.py': '', [file]: '' }));
    const expected = file === 'easyserve.toml' ? outer : join(outer, 'mysite');
    assert.equal(await find(outer), expected);
    assert.equal(await find(join(outer, 'mysite')), expected);
  }
});

test('without a settings file, and with one in each, the folder that was typed is the project', async (t) => {
  const both: Record<string, string> = { 'easyserve.toml': '', 'mysite/easyserve.toml': '' };
  for (const files of [{}, both]) {
    const outer = realpathSync(makeProject(t, { 'mysite/manage.py': '', ...files }));
    for (const each of [outer, join(outer, 'mysite')]) assert.equal(await find(each), each);
  }
});

test('a folder above with two projects, or that is one itself, belongs to neither', async (t) => {
  for (const more of ['other/manage.py', 'manage.py']) {
    const outer = realpathSync(makeProject(t, { 'mysite/manage.py': '', 'easyserve.toml': '', [more]: '' }));
    assert.equal(await find(join(outer, 'mysite')), join(outer, 'mysite'));
  }
});

for (const [file, text, line] of [
  ['app.py', 'app = Flask(__name__)', 'easyserve start --set app=app:app'],
  ['shop.py', 'import x\napplication: object = 1', 'easyserve start --set app=shop:application'],
  ['shop.py', 'def create_app():\n    pass', "easyserve start --set app='shop:create_app()'"],
  ['manage.py', '', 'easyserve start'],
  ['server.js', '', 'easyserve start --set app=server.js'],
  ['my server.js', '', "easyserve start --set app='my server.js'"],
] as const) {
  test(`a file in place of the folder, ${file}: ${line}`, async (t) => {
    const cwd = realpathSync(makeProject(t, { [file]: text }));
    const error = await errorOf(findProject({ base: undefined, dir: file }, { cwd, env: {} }));
    assert.deepEqual([error.code, error.hint], ['project-missing', line]);
  });
}

for (const [typed, line] of [
  ['shop.wsgi:app', 'easyserve start --set app=shop.wsgi:app'],
  ['shop.wsgi', 'easyserve start --set app=shop.wsgi:application'],
  ['8080', 'easyserve start --port 8080'],
  ['0.0.0.0:8080', 'easyserve start --host 0.0.0.0 --port 8080'],
  ['[::1]:8080', 'easyserve start --host ::1 --port 8080'],
  ['localhost:3000', 'easyserve start --host localhost --port 3000'],
] as const) {
  test(`what is no folder, ${typed}: ${line}`, async (t) => {
    const cwd = realpathSync(makeProject(t, {}));
    const given = { project: { base: undefined, dir: typed }, configFile: undefined, flags: [] };
    const error = await errorOf(findSources(given, { cwd, env: {} }));
    assert.deepEqual([error.code, error.hint], ['project-missing', line]);
    // A folder may be called so.
    mkdirSync(join(cwd, typed));
    assert.equal((await findSources(given, { cwd, env: {} })).projectDir, join(cwd, typed));
  });
}

test('for install and uninstall the folder that has a unit is the project', async (t) => {
  const outer = realpathSync(makeProject(t, { 'mysite/manage.py': '', 'easyserve.toml': '' }));
  const inner = join(outer, 'mysite');
  for (const cwd of [outer, inner]) {
    const project = { base: undefined, dir: undefined };
    assert.equal(await findProject(project, { cwd, env: {} }, (each) => each === inner), inner);
  }
});

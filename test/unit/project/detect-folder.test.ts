import assert from 'node:assert/strict';
import { join } from 'node:path';
import { test } from 'node:test';
import { detectFolder, isSiteFolder } from '../../../src/project/detect-folder.js';
import { makeFileTree } from '../../support/file-tree.js';
import { detect, errorOf } from './project-files.js';

const noFallback = { fallback: null };

test('a folder of files has no process, no interpreter and no application but itself', async (t) => {
  const root = await makeFileTree(t, { 'dist/index.html': 'hi' });
  const folder = join(root, 'dist');
  const project = await detectFolder(root, folder, noFallback);
  assert.deepEqual(
    [project.kind, project.server, project.root, project.application, 'python' in project],
    ['folder', 'none', root, folder, false],
  );
  assert.deepEqual(project.warnings, []);
});

test('a folder is a site by itself when it has an index.html', async (t) => {
  const root = await makeFileTree(t, {
    'site/index.html': 'hi',
    'odd/index.html/x': 'a folder of that name',
  });
  assert.equal(await isSiteFolder(join(root, 'site')), true);
  assert.equal(await isSiteFolder(join(root, 'odd')), false);
  assert.equal(await isSiteFolder(root), false);
});

test('a folder that is not there, or is a file', async (t) => {
  const root = await makeFileTree(t, { dist: 'a file' });
  for (const name of ['missing', 'dist']) {
    const error = await errorOf(detectFolder(root, join(root, name), noFallback));
    assert.equal(error.code, 'folder-missing');
    assert.match(error.message, new RegExp(name));
    assert.match(error.hint ?? '', /--set folder=/);
  }
});

test('a fallback has to be there', async (t) => {
  const root = await makeFileTree(t, {
    'dist/index.html': 'hi',
    'dist/app/index.html': 'hi',
    'page.html': 'out',
  });
  const folder = join(root, 'dist');
  for (const fallback of ['app.html', 'app', '../page.html']) {
    const error = await errorOf(detectFolder(root, folder, { fallback }));
    assert.equal(error.code, 'fallback-missing', fallback);
  }
  for (const fallback of ['index.html', 'app/index.html']) {
    assert.equal((await detectFolder(root, folder, { fallback })).kind, 'folder');
  }
});

test('a missing start page, and sources that are still to be built, are told', async (t) => {
  const root = await makeFileTree(t, {
    'downloads/a.zip': '',
    'source/index.html': 'hi',
    'source/package.json': '{"scripts": {"build": "vite build"}}',
    'plain/index.html': 'hi',
    'plain/package.json': '{"scripts": ',
  });
  const warningsOf = async (name: string) =>
    (await detectFolder(root, join(root, name), noFallback)).warnings;
  assert.match((await warningsOf('downloads')).join(), /no index\.html .* start page is a 404/);
  assert.match((await warningsOf('source')).join(), /build script.*folder = "dist"/);
  assert.deepEqual(await warningsOf('plain'), []);
});

test('a command says all by itself', async (t) => {
  const root = await makeFileTree(t, { 'manage.py': '1/0' });
  const project = await detect(root, { settings: { command: 'serve $PORT' } });
  assert.deepEqual(
    [project.kind, project.server, project.root, project.application, 'python' in project],
    ['command', 'command', root, 'serve $PORT', false],
  );
});

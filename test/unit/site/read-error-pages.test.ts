import assert from 'node:assert/strict';
import { test } from 'node:test';
import { readErrorPages } from '../../../src/site/read-error-pages.js';
import { makeFileTree } from '../../support/file-tree.js';
import { RecordingLog } from '../../support/recording-log.js';

test('pages by status, class or for all; what else lies there is left alone', async (t) => {
  const log = new RecordingLog();
  const root = await makeFileTree(t, {
    '404.html': 'a',
    '5xx.html': 'b',
    'error.html': 'c',
    '200.html': 'd',
    'x.css': 'e',
  });
  assert.deepEqual(Object.fromEntries(await readErrorPages(root, log)), { 404: 'a', '5xx': 'b', error: 'c' });
  assert.equal((await readErrorPages(null, log)).size, 0);
  assert.deepEqual(log.records, []);
});

test('a folder that is missing or has no page is a warning, and the site starts', async (t) => {
  const log = new RecordingLog();
  const root = await makeFileTree(t, { 'x.css': 'e' });
  for (const folder of [root, `${root}/missing`]) assert.equal((await readErrorPages(folder, log)).size, 0);
  assert.equal(log.all('error-pages-unread').length, 2);
});

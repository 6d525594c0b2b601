import assert from 'node:assert/strict';
import { join } from 'node:path';
import { test } from 'node:test';
import { ApplicationError } from '../../../../src/contracts/errors.js';
import { readManifest } from '../../../../src/front/files/read-manifest.js';
import { makeFileTree } from '../../../support/file-tree.js';

test('the hashed names are the values that differ from their keys', async (t) => {
  const manifest = { version: '1.1', paths: { 'a.css': 'a.1234.css', 'b.txt': 'b.txt', 'c.js': 5 } };
  const root = await makeFileTree(t, { 'staticfiles.json': JSON.stringify(manifest) });
  assert.deepEqual([...(await readManifest(join(root, 'staticfiles.json')))], ['a.1234.css']);
});

test('no manifest, no hashed names', async (t) => {
  const root = await makeFileTree(t, {});
  assert.equal((await readManifest(join(root, 'staticfiles.json'))).size, 0);
});

for (const content of ['{"paths":', '[]', 'null', '{"paths": 5}', '']) {
  test(`${JSON.stringify(content)} is refused with its path and the remedy`, async (t) => {
    const root = await makeFileTree(t, { 'staticfiles.json': content });
    await assert.rejects(readManifest(join(root, 'staticfiles.json')), (error) => {
      assert.ok(error instanceof ApplicationError);
      assert.equal(error.code, 'static-manifest');
      assert.ok(error.message.includes(join(root, 'staticfiles.json')));
      assert.match(error.hint ?? '', /collectstatic/);
      return true;
    });
  });
}

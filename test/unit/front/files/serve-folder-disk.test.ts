import assert from 'node:assert/strict';
import { once } from 'node:events';
import fs from 'node:fs';
import { rename, rm, symlink, truncate } from 'node:fs/promises';
import { syncBuiltinESMExports } from 'node:module';
import { join } from 'node:path';
import { type TestContext, test } from 'node:test';
import { eventually } from '../../../support/eventually.js';
import { countOpenFiles } from '../../../support/file-tree.js';
import { type ServedFiles, serveFiles } from '../../../support/serve-folder.js';
import { drain } from '../../../support/serve-handler.js';

const largeBytes = 24 * 1024 * 1024;

async function serveLarge(t: TestContext): Promise<ServedFiles> {
  const folder = await serveFiles(t, { 'large.mp4': '' });
  await truncate(join(folder.root, 'large.mp4'), largeBytes);
  return folder;
}

test('a slow client does not make the server read ahead', async (t) => {
  const { served } = await serveLarge(t);
  const { exchange } = await served.stall('/media/large.mp4');
  assert.ok(exchange.bodyBytes < largeBytes / 2, `${exchange.bodyBytes} bytes read`);
  assert.ok(exchange.response.writableLength < 1024 * 1024, `${exchange.response.writableLength} bytes wait`);
});

test('a client that goes away closes the file', async (t) => {
  const { served, root } = await serveLarge(t);
  const { body, exchange } = await served.stall('/media/large.mp4');
  assert.equal(await countOpenFiles(root), 1);
  const closed = once(exchange.response, 'close');
  body.destroy();
  await closed;
  await eventually(async () => assert.equal(await countOpenFiles(root), 0));
  assert.ok(exchange.bodyBytes < largeBytes, 'read on for nobody');
});

test('a file that shrinks while it is sent cuts the connection', async (t) => {
  const { served, root } = await serveLarge(t);
  const { body, exchange } = await served.stall('/media/large.mp4');
  const closed = once(exchange.response, 'close');
  await truncate(join(root, 'large.mp4'), 0);
  body.on('error', () => undefined).resume();
  await closed;
  assert.ok(exchange.request.socket.destroyed, 'ended as if it were whole');
  await eventually(async () => assert.equal(await countOpenFiles(root), 0));
});

test('a file that is deleted while it is sent arrives whole', async (t) => {
  const { served, root } = await serveLarge(t);
  const { body, exchange } = await served.stall('/media/large.mp4');
  await rm(join(root, 'large.mp4'));
  assert.equal(await drain(body), largeBytes);
  assert.equal(exchange.bodyBytes, largeBytes);
});

test('a folder that is swapped for a symlink just before the file is opened shows nothing', async (t) => {
  const { served, root } = await serveFiles(t, { 'folder/secret': 'public' });
  const { open } = fs.promises;
  t.mock.method(fs.promises, 'open', async (...parameters: Parameters<typeof open>) => {
    await rename(join(root, 'folder'), join(root, 'kept'));
    await symlink('..', join(root, 'folder'));
    return open(...parameters);
  });
  // The named imports of the module under test follow only then.
  syncBuiltinESMExports();
  t.after(() => {
    t.mock.restoreAll();
    syncBuiltinESMExports();
  });
  const answer = await served.ask('/media/folder/secret');
  assert.equal(answer.status, 404);
  assert.ok(!answer.body.includes('SECRET'));
  assert.equal(await countOpenFiles(join(root, '..')), 0);
});

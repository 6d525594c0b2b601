import assert from 'node:assert/strict';
import { existsSync, linkSync, lstatSync, readdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { type TestContext, test } from 'node:test';
import { ListeningSocket } from '../../../src/sockets/listening-socket.js';
import { bindUnixSocket } from '../../../src/sockets/unix-socket.js';
import { makeTempDir } from '../../support/copy-fixture.js';
import { leaveStaleSocket } from '../../support/stale-socket.js';

const rights = { mode: '0660', group: null };

async function bind(t: TestContext, path: string): Promise<ListeningSocket> {
  const socket = await ListeningSocket.bindUnix(`unix:${path}`, rights);
  t.after(() => socket.remove());
  return socket;
}

test('of two that start at the same moment one gets the path, though neither accepts yet', async (t) => {
  const path = join(makeTempDir(t), 'site.sock');
  const ends = await Promise.allSettled([bind(t, path), bind(t, path)]);
  assert.deepEqual(ends.map(({ status }) => status).sort(), ['fulfilled', 'rejected']);
  const lost = ends.find((end) => end.status === 'rejected');
  assert.equal(lost?.reason.code, 'port-in-use');
});

test('one that is bound and does not accept yet keeps its path', async (t) => {
  const path = join(makeTempDir(t), 'site.sock');
  const first = await bind(t, path);
  const { ino } = lstatSync(path);
  await assert.rejects(bindUnixSocket(path, rights), { code: 'port-in-use' });
  assert.equal(lstatSync(path).ino, ino);
  first.remove();
  assert.deepEqual(readdirSync(join(path, '..')), []);
  await bind(t, path);
});

test('all that a killed instance has left is replaced, by one of several', async (t) => {
  const dir = makeTempDir(t);
  const path = join(dir, 'site.sock');
  leaveStaleSocket(path);
  // Killed before it accepted: the name that it had bound is there too.
  linkSync(path, join(dir, '.0a1b2c'));
  const ends = await Promise.allSettled([bind(t, path), bind(t, path), bind(t, path)]);
  assert.deepEqual(ends.map(({ status }) => status).sort(), ['fulfilled', 'rejected', 'rejected']);
  assert.equal(existsSync(join(dir, '.0a1b2c')), false);
});

test('what is no socket stays', async (t) => {
  const path = join(makeTempDir(t), 'site.sock');
  writeFileSync(path, 'mine');
  await assert.rejects(bindUnixSocket(path, rights), { code: 'address-unusable' });
  assert.deepEqual(readdirSync(join(path, '..')), ['site.sock']);
});

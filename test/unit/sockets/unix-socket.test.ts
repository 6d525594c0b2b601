import assert from 'node:assert/strict';
import { once } from 'node:events';
import { chmodSync, lstatSync } from 'node:fs';
import net from 'node:net';
import { join } from 'node:path';
import { test } from 'node:test';
import { bindUnixSocket } from '../../../src/sockets/unix-socket.js';
import { makeTempDir } from '../../support/copy-fixture.js';

const nobody = 65_534;

test('a socket that this user may not connect to is left to whoever listens there', async (t) => {
  const dir = makeTempDir(t);
  chmodSync(dir, 0o777);
  const path = join(dir, 'site.sock');
  const other = net.createServer().listen(path);
  await once(other, 'listening');
  t.after(() => other.close());
  chmodSync(path, 0); // connect(2) wants the right to write, of the owner as well
  const { ino } = lstatSync(path);
  // Root may connect to all of them.
  const isRoot = process.geteuid?.() === 0;
  if (isRoot) process.seteuid?.(nobody);
  try {
    await assert.rejects(bindUnixSocket(path, { mode: '0666', group: null }), {
      code: 'address-unusable',
      message: `The socket ${path} cannot be made (the socket of another user is there).`,
    });
  } finally {
    if (isRoot) process.seteuid?.(0);
  }
  assert.equal(lstatSync(path).ino, ino);
});

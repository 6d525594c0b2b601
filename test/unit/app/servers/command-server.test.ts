import assert from 'node:assert/strict';
import { once } from 'node:events';
import { mkdirSync } from 'node:fs';
import { createServer } from 'node:net';
import { join } from 'node:path';
import { test } from 'node:test';
import { CommandServer } from '../../../../src/app/servers/command-server.js';
import { findFreePort } from '../../../../src/sockets/socket-handle.js';
import { makeTempDir } from '../../../support/copy-fixture.js';
import { makeRelease } from '../../../support/make-release.js';

function planIn(root: string, platform: NodeJS.Platform = 'linux') {
  const release = makeRelease({
    settings: { concurrency: 77 },
    project: {
      ...({ kind: 'command', server: 'command', root } as const),
      ...{ application: 'serve --port $PORT', warnings: [] },
    },
  });
  const server = new CommandServer({ PATH: '/bin', PORT: '80', HOST: 'h', A: 'b' }, platform, () => 4711);
  assert.equal(server.concurrency(release), 77);
  return server.plan(release, '/run/1.sock');
}

test('a command runs in the shell, in the project, and is told where to listen', (t) => {
  const root = makeTempDir(t);
  const { command, args, cwd, env, readiness, addresses, hints } = planIn(root);
  assert.equal(command, '/bin/sh');
  assert.equal(args.at(-1), 'serve --port $PORT');
  assert.equal(cwd, root);
  assert.deepEqual(env, {
    PATH: '/bin',
    A: 'b',
    PORT: '4711',
    HOST: '127.0.0.1',
    SOCKET: '/run/1.sock',
  });
  assert.equal(readiness, 'accepts');
  assert.deepEqual(addresses, [
    { protocol: 'http', place: { path: '/run/1.sock' } },
    { protocol: 'http', place: { host: '127.0.0.1', port: 4711 } },
  ]);
  assert.match(hints?.neverReady ?? '', /port 4711 of 127\.0\.0\.1 .* \/run\/1\.sock/);
});

test('programs of the project come before those of the system', (t) => {
  const root = makeTempDir(t);
  for (const folder of ['node_modules/.bin', '.venv/bin']) mkdirSync(join(root, folder), { recursive: true });
  const { env } = planIn(root);
  assert.equal(env.PATH, `${join(root, 'node_modules/.bin')}:${join(root, '.venv/bin')}:/bin`);
});

test('on Windows the shell is cmd', (t) => {
  const { command, args } = planIn(makeTempDir(t), 'win32');
  assert.deepEqual([command, ...args], ['cmd.exe', '/d', '/s', '/c', 'serve --port $PORT']);
});

test('a free port can be listened on at once', async (t) => {
  for (let round = 0; round < 20; round += 1) {
    const server = createServer().listen(findFreePort(), '127.0.0.1');
    t.after(() => server.close());
    await once(server, 'listening');
  }
});

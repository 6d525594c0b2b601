import assert from 'node:assert/strict';
import { existsSync } from 'node:fs';
import { test } from 'node:test';
import { AsgiServer } from '../../../../src/app/servers/asgi-server.js';
import { asgiServers } from '../../../../src/contracts/project-facts.js';
import { makeRelease, project } from '../../../support/make-release.js';

const release = makeRelease({
  settings: { concurrency: 50, scriptName: '/shop', maxHeaderBytes: 9999 },
  project,
  plan: { threads: 6 },
});

for (const name of asgiServers) {
  test(`${name} runs in the project, with its interpreter`, () => {
    const server = new AsgiServer(name, { PATH: '/bin' });
    const { command, args, cwd, env, readiness, addresses } = server.plan(release, '/run/1.sock');
    const [file, ...options] = args;
    assert.deepEqual([server.name, command, cwd, readiness], [name, '/python', '/project', 'control']);
    assert.ok(file !== undefined && existsSync(file), file);
    assert.deepEqual(options, [
      `--server=${name}`,
      '--socket=/run/1.sock',
      '--application=wsgi:application',
      '--control-fd=3',
      '--script-name=/shop',
      '--max-header-bytes=9999',
    ]);
    assert.deepEqual(env, { PATH: '/bin', EASYSERVE_APP_PORTS: '9464' });
    assert.deepEqual(addresses, [{ protocol: 'http', place: { path: '/run/1.sock' } }]);
    assert.equal(server.concurrency(release), 50);
  });
}

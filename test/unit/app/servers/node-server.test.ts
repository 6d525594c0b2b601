import assert from 'node:assert/strict';
import { existsSync } from 'node:fs';
import { test } from 'node:test';
import { NodeServer } from '../../../../src/app/servers/node-server.js';
import { orderVariable } from '../../../../src/contracts/node-order.js';
import type { NodeFacts } from '../../../../src/contracts/project-facts.js';
import { makeRelease, project } from '../../../support/make-release.js';

const node: NodeFacts = { nodeArgs: ['--enable-source-maps'], args: ['--quiet'], env: {} };

function planFor({ env = {}, facts = node, port = null as number | null } = {}) {
  const release = makeRelease({
    settings: { port },
    project: {
      ...project,
      kind: 'node',
      server: 'node',
      application: '/project/server.js',
      node: facts,
    } as const,
  });
  return new NodeServer({ PATH: '/bin', ...env }, '/node').plan(release, '/run/1.sock');
}

test('the file under the runner, with its flags and arguments', () => {
  const plan = planFor();
  assert.equal(plan.command, '/node');
  const [flag = '', preload = '', ...rest] = plan.args;
  assert.equal(flag, '--require');
  assert.ok(existsSync(preload), preload);
  assert.deepEqual(rest, ['--enable-source-maps', '/project/server.js', '--quiet']);
  assert.deepEqual(JSON.parse(plan.env[orderVariable] ?? ''), {
    socketPath: '/run/1.sock',
    port: 3000,
    appPorts: [9464],
    file: '/project/server.js',
  });
  assert.deepEqual(plan.addresses, [{ protocol: 'http', place: { path: '/run/1.sock' } }]);
});

test('the environment: production unless it says otherwise, and a port', () => {
  assert.equal(planFor().env.NODE_ENV, 'production');
  assert.equal(planFor({ env: { NODE_ENV: 'test' } }).env.NODE_ENV, 'test');
  const facts = { ...node, env: { NODE_ENV: 'staging' } };
  assert.equal(planFor({ env: { NODE_ENV: 'test' }, facts }).env.NODE_ENV, 'staging');
  assert.equal(planFor().env.PORT, '3000');
  assert.equal(planFor({ port: 8000 }).env.PORT, '8000');
  assert.match(planFor({ port: 8000, env: { PORT: '9000' } }).env[orderVariable] ?? '', /"port":9000/);
});

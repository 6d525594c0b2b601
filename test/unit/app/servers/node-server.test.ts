import assert from 'node:assert/strict';
import { existsSync } from 'node:fs';
import { test } from 'node:test';
import { NodeServer } from '../../../../src/app/servers/node-server.js';
import { orderVariable } from '../../../../src/contracts/node-order.js';
import type { NodeFacts } from '../../../../src/contracts/project-facts.js';
import { defaultSettings } from '../../../support/default-settings.js';
import { project } from '../../../support/pool-world.js';

const node: NodeFacts = { nodeArgs: ['--enable-source-maps'], args: ['--quiet'], env: {} };

function planFor({ totalProcesses = 1, env = {}, facts = node, port = null as number | null } = {}) {
  const release = {
    generation: 1,
    settings: defaultSettings({ port }),
    project: {
      ...project,
      kind: 'node',
      server: 'node',
      application: '/project/server.js',
      node: facts,
    } as const,
    processes: 1,
    totalProcesses,
    threads: 1,
  };
  return new NodeServer({ PATH: '/bin', ...env }, '/node').plan(release, '/run/1.sock');
}

test('alone: a thread, and the process that takes its place', () => {
  const plan = planFor();
  assert.equal(plan.execution, 'thread');
  assert.equal(plan.thread?.file, '/project/server.js');
  assert.deepEqual(plan.thread.argv, ['--quiet']);
  assert.equal(plan.thread.env[orderVariable], undefined);
  const [flag = '', preload = '', ...flags] = plan.thread.execArgv;
  assert.equal(flag, '--require');
  assert.ok(existsSync(preload), preload);
  assert.deepEqual(flags, ['--force-context-aware', '--enable-source-maps']);
  assert.equal(plan.command, '/node');
  assert.deepEqual(plan.args, [flag, preload, '--enable-source-maps', '/project/server.js', '--quiet']);
  assert.deepEqual(JSON.parse(plan.env[orderVariable] ?? ''), plan.thread.order);
});

test('several: processes', () => {
  const plan = planFor({ totalProcesses: 2 });
  assert.equal(plan.execution, 'process');
  assert.equal(plan.thread, undefined);
  assert.deepEqual(plan.addresses, [{ protocol: 'http', place: { path: '/run/1.sock' } }]);
});

test('the environment: production unless it says otherwise, and a port', () => {
  assert.equal(planFor().env.NODE_ENV, 'production');
  assert.equal(planFor({ env: { NODE_ENV: 'test' } }).env.NODE_ENV, 'test');
  const facts = { ...node, env: { NODE_ENV: 'staging' } };
  assert.equal(planFor({ env: { NODE_ENV: 'test' }, facts }).env.NODE_ENV, 'staging');
  assert.equal(planFor().env.PORT, '3000');
  assert.equal(planFor({ port: 8000 }).env.PORT, '8000');
  assert.equal(planFor({ port: 8000, env: { PORT: '9000' } }).thread?.order.port, 9000);
});

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { eventually } from '../support/eventually.js';
import { integrationTimeoutMs } from '../support/for-each-mode.js';
import { isAlive, killProcess } from '../support/processes.js';
import { startEasyserve } from '../support/start-easyserve.js';

test('cluster: a worker that hangs refuses one reload, and is replaced', {
  timeout: integrationTimeoutMs,
}, async (t) => {
  const easyserve = await startEasyserve(t, {
    fixture: 'wsgi-hello',
    mode: 'cluster',
    args: ['--fronts', '2'],
    settings: { readyTimeoutMs: 1000, healthTimeoutMs: 1000, killTimeoutMs: 1000 },
  });
  const [frozen, other] = await easyserve.sitePids();
  assert.ok(frozen !== undefined && other !== undefined);
  killProcess(frozen, 'SIGSTOP');
  assert.deepEqual(await easyserve.sitePids(), [other]);

  const { code, stderr } = await easyserve.cli('reload');
  assert.equal(code, 9);
  assert.match(stderr, /A worker was ended by SIGKILL/);
  assert.ok(!isAlive(frozen));
  await eventually(async () => assert.equal((await easyserve.sitePids()).length, 2));

  await eventually(async () => assert.equal((await easyserve.cli('reload')).code, 0), { intervalMs: 200 });
  assert.deepEqual([...new Set((await easyserve.apps()).map(({ generation }) => generation))], [2]);
});

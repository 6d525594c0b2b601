import assert from 'node:assert/strict';
import { appendFileSync } from 'node:fs';
import { join } from 'node:path';
import { type TestContext, test } from 'node:test';
import { breakRelease } from '../support/broken-release.js';
import type { Easyserve } from '../support/easyserve.js';
import { eventually } from '../support/eventually.js';
import { integrationTimeoutMs } from '../support/for-each-mode.js';
import { describeTally, loadDuring, type Tally } from '../support/load-during.js';
import { killProcess } from '../support/processes.js';
import { startEasyserve } from '../support/start-easyserve.js';

const limit = { timeout: integrationTimeoutMs };

test('cluster: a worker that comes back during a reload ends up with the new release', limit, async (t) => {
  const easyserve = await start(t, 2);
  for (let round = 2; round <= 4; round += 1) {
    await killOneWorker(easyserve);
    easyserve.writeFile('VERSION', `v${round}\n`);
    const { code, stderr } = await easyserve.cli('reload');
    assert.equal(code, 0, stderr);
    await expectGeneration(easyserve, round, 2);
  }
});

test('cluster: a worker that is killed while it prepares refuses the reload', limit, async (t) => {
  const easyserve = await start(t, 2);
  const openGate = gateImport(easyserve);
  const [worker] = await easyserve.sitePids();
  const tally = await loadDuring(easyserve.url, { connections: 6, minRequests: 300 }, async () => {
    const reload = easyserve.cli('reload');
    await easyserve.waitFor('application', ({ msg }) => msg === 'importing');
    await killWorker(easyserve, worker);
    openGate();
    const { code, stderr } = await reload;
    assert.equal(code, 9, stderr);
    assert.match(stderr, /A worker was ended by SIGKILL/);
    await expectGeneration(easyserve, 1, 2);

    assert.equal((await easyserve.cli('reload')).code, 0);
    await expectGeneration(easyserve, 2, 2);
  });
  expectOnlyCut(tally);
});

test('cluster: without a worker that could check it, no release comes in', limit, async (t) => {
  const easyserve = await start(t, 1);
  const mend = breakRelease(easyserve.dir, 'answers-500', 'app.py');
  await killOneWorker(easyserve);
  const { code } = await easyserve.cli('reload');
  assert.equal(code, 9);
  assert.equal((await easyserve.status()).generation, 1);
  mend();
  await eventually(async () => assert.equal((await easyserve.cli('reload')).code, 0), { timeoutMs: 20_000 });
  await expectGeneration(easyserve, 2, 1);
});

function start(t: TestContext, fronts: number): Promise<Easyserve> {
  return startEasyserve(t, { fixture: 'wsgi-hello', mode: 'cluster', args: ['--fronts', String(fronts)] });
}

async function killOneWorker(easyserve: Easyserve): Promise<void> {
  const [worker] = await easyserve.sitePids();
  await killWorker(easyserve, worker);
}

async function killWorker(easyserve: Easyserve, worker: number | undefined): Promise<void> {
  assert.ok(worker !== undefined);
  killProcess(worker, 'SIGKILL');
  await easyserve.waitFor('worker-crashed', (record) => record.worker === worker);
}

async function expectGeneration(easyserve: Easyserve, generation: number, fronts: number): Promise<void> {
  await eventually(async () => {
    const status = await easyserve.status();
    assert.equal(status.generation, generation);
    const found = status.sites.map(({ apps }) => apps.map((app) => `${app.generation} ${app.state}`));
    const share = Array.from({ length: 2 / fronts }, () => `${generation} ready`);
    assert.deepEqual(
      found,
      Array.from({ length: fronts }, () => share),
    );
  });
}

/** What was on the worker when it was killed is lost; nothing else may be. */
function expectOnlyCut(tally: Tally): void {
  const others = tally.failures.filter(({ kind }) => kind !== 'reset' && kind !== 'truncated');
  assert.deepEqual(others, [], describeTally(tally));
  assert.ok(tally.failures.length <= 12, describeTally(tally));
}

/** The next release cannot be started until the gate is opened; the look at the project may import it all the same. */
function gateImport(easyserve: Easyserve): () => void {
  const gate = `
import os, sys, time
if sys.argv[0].endswith('gateway.py'):
    print('importing', flush=True)
    while not os.path.exists('gate-open'):
        time.sleep(0.01)
`;
  appendFileSync(join(easyserve.dir, 'app.py'), gate);
  return () => easyserve.writeFile('gate-open', '');
}

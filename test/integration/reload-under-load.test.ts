import assert from 'node:assert/strict';
import type { Easyserve } from '../support/easyserve.js';
import { eventually } from '../support/eventually.js';
import { forEachMode, type Mode } from '../support/for-each-mode.js';
import { expectNoFailures, loadDuring } from '../support/load-during.js';
import { describeProcess } from '../support/processes.js';
import { startEasyserve } from '../support/start-easyserve.js';

const requests = 20_000;
const reloads = 10;

// The promise of a reload, on the real Django site: whatever changes, no request is refused, cut or answered wrongly.
forEachMode(['single', 'cluster'], (mode, testIn) => {
  testIn(
    `${requests} requests see ${reloads} reloads, changed settings and a scale, and none fails`,
    async (t) => {
      const easyserve = await startEasyserve(t, {
        fixture: 'django-site',
        mode,
        // Two fronts, so that there is somebody to switch at the same time with.
        args: mode === 'cluster' ? ['--fronts', '2'] : [],
      });

      const tally = await loadDuring(easyserve.url, { connections: 12, minRequests: requests }, async () => {
        for (let release = 2; release <= reloads + 1; release += 1) {
          easyserve.writeFile('VERSION', `v${release}\n`);
          await (release % 2 === 0 ? reloadByVerb(easyserve) : reloadBySignal(easyserve));
          await expectOnlyGeneration(easyserve, release, mode);
        }
        await changeThreads(easyserve, mode);
        await changeLogLevel(easyserve, mode);
        await scaleUpAndDown(easyserve, mode);
      });

      const versions = Array.from({ length: reloads + 1 }, (_, index) => `v${index + 1}`);
      expectNoFailures(tally, { atLeast: requests, versions });
      assert.deepEqual(Object.keys(tally.byVersion).sort(), versions.sort());
      await expectOnlyGeneration(easyserve, reloads + 2, mode);
      const started = easyserve.records.filter(({ event }) => event === 'app-ready');
      assert.equal(new Set(started.map(({ generation }) => generation)).size, reloads + 2);
      assert.equal(
        started.length,
        (reloads + 2) * processesIn(mode) + 1,
        'each generation once, and one more for the scale',
      );
      for (const event of ['app-crashed', 'reload-failed', 'drain-timeout', 'queue-full']) {
        assert.deepEqual(
          easyserve.records.filter((record) => record.event === event),
          [],
        );
      }
    },
  );
});

function processesIn(mode: Mode): number {
  return mode === 'single' ? 1 : 2;
}

async function reloadByVerb(easyserve: Easyserve): Promise<void> {
  const { code, stderr } = await easyserve.cli('reload');
  assert.equal(code, 0, stderr);
}

async function reloadBySignal(easyserve: Easyserve): Promise<void> {
  easyserve.signal('SIGHUP');
  await easyserve.waitFor('reloaded');
}

/** Needs new processes: a generation of its own, although nobody asked for a reload. */
async function changeThreads(easyserve: Easyserve, mode: Mode): Promise<void> {
  easyserve.writeSettings({ threads: 3 });
  await easyserve.waitFor('reloaded', ({ generation }) => generation === reloads + 2);
  await expectOnlyGeneration(easyserve, reloads + 2, mode);
  for (const { threads } of await easyserve.apps()) assert.equal(threads, 3);
}

/** Takes effect in the processes that run. */
async function changeLogLevel(easyserve: Easyserve, mode: Mode): Promise<void> {
  const before = await easyserve.appPids();
  easyserve.writeSettings({ logLevel: 'debug' });
  await easyserve.waitFor('reloaded', ({ generation }) => generation === reloads + 2);
  await expectOnlyGeneration(easyserve, reloads + 2, mode);
  assert.deepEqual(await easyserve.appPids(), before);
}

async function scaleUpAndDown(easyserve: Easyserve, mode: Mode): Promise<void> {
  const usual = processesIn(mode);
  for (const processes of [usual + 1, usual]) {
    const { code, stderr } = await easyserve.cli('scale', String(processes));
    assert.equal(code, 0, stderr);
    assert.equal((await easyserve.apps()).length, processes);
    // Only at the new log level, which has reached every front.
    await easyserve.waitFor('app-state');
  }
}

/** Every process that lives belongs to this generation, and none is missing. */
async function expectOnlyGeneration(easyserve: Easyserve, generation: number, mode: Mode): Promise<void> {
  await eventually(async () => {
    const { state, pid, sites, generation: current } = await easyserve.status();
    const apps = sites.flatMap((site) => site.apps);
    assert.equal(state, 'running');
    assert.equal(current, generation);
    assert.deepEqual(
      apps.map((app) => [app.generation, app.state]),
      Array.from({ length: processesIn(mode) }, () => [generation, 'ready']),
    );
    const expected = new Set([pid, ...sites.map((site) => site.pid), ...apps.map((app) => app.pid)]);
    assert.deepEqual(
      easyserve
        .processes()
        .filter((each) => !expected.has(each))
        .map(describeProcess),
      [],
    );
  });
}

import assert from 'node:assert/strict';
import type { Easyserve } from '../support/easyserve.js';
import { eventually } from '../support/eventually.js';
import { forEachMode } from '../support/for-each-mode.js';
import { ask } from '../support/http-client.js';
import { expectNoFailures, loadDuring } from '../support/load-during.js';
import { isAlive } from '../support/processes.js';
import { startEasyserve } from '../support/start-easyserve.js';

// A process that is due is replaced: its successor takes over first, and no request is lost.
forEachMode(['single', 'cluster'], (mode, testIn) => {
  const cases = [
    { due: 'requests', settings: { recycleRequests: 150 }, reason: /^it has answered \d+ requests/ },
    { due: 'age', settings: { recycleLifetimeMs: 1_500 }, reason: /^it is \d+ s old/ },
    { due: 'memory', settings: { recycleMemoryBytes: 200_000_000 }, reason: /^it uses \d+ MB of memory/ },
  ];
  for (const { due, settings, reason } of cases) {
    testIn(`recycled by ${due} under load without a failure`, async (t) => {
      const easyserve = await startEasyserve(t, { fixture: 'wsgi-hello', mode, settings });
      const tally = await loadDuring(easyserve.url, { connections: 4, minRequests: 500 }, async () => {
        if (due === 'memory') await ask(easyserve.url, '/memory?mb=300');
        const record = await easyserve.waitFor('app-recycle');
        assert.match(String(record.reason), reason);
        await assertReplaced(easyserve, Number(record.app));
      });
      expectNoFailures(tally, { atLeast: 500 });
    });
  }
});

/** The successor is ready while the old process still lives, which ends then. */
async function assertReplaced(easyserve: Easyserve, old: number): Promise<void> {
  const { app } = await easyserve.waitFor('app-ready');
  assert.notEqual(app, old);
  await eventually(() => assert.ok(!isAlive(old)));
  assert.ok(!easyserve.records.some((record) => record.event === 'app-crashed'));
}

import assert from 'node:assert/strict';
import { eventually } from '../support/eventually.js';
import { forEachMode } from '../support/for-each-mode.js';
import { expectNoFailures, loadDuring } from '../support/load-during.js';
import { isAlive, killProcess } from '../support/processes.js';
import { startEasyserve } from '../support/start-easyserve.js';

forEachMode(['single', 'cluster'], (mode, testIn) => {
  testIn(
    'an application process that somebody tells to stop by a signal is replaced without a failure',
    async (t) => {
      const easyserve = await startEasyserve(t, { fixture: 'wsgi-hello', mode });
      const tally = await loadDuring(easyserve.url, { connections: 4, minRequests: 400 }, async () => {
        for (const [at, pid] of (await easyserve.appPids()).entries()) {
          killProcess(pid, at === 0 ? 'SIGTERM' : 'SIGQUIT');
          const recycled = await easyserve.waitFor('app-recycle');
          assert.equal(recycled.app, pid);
          assert.equal(recycled.reason, 'a signal told it to stop');
          await easyserve.waitFor('app-ready');
          await eventually(() => assert.ok(!isAlive(pid)));
        }
      });
      expectNoFailures(tally, { atLeast: 400 });
      assert.equal((await easyserve.apps()).length, mode === 'single' ? 1 : 2);
    },
  );
});

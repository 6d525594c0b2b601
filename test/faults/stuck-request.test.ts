import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { eventually } from '../support/eventually.js';
import { forEachMode } from '../support/for-each-mode.js';
import { ask } from '../support/http-client.js';
import { expectNoFailures, loadDuring } from '../support/load-during.js';
import { logged } from '../support/logged.js';
import { isAlive } from '../support/processes.js';
import { startEasyserve } from '../support/start-easyserve.js';

const settings = { requestTimeoutMs: 1_000, drainTimeoutMs: 500, killTimeoutMs: 500 };

forEachMode(['single', 'cluster'], (mode, testIn) => {
  testIn('a request that is stuck gets a 504, its stack is logged, and the others go on', async (t) => {
    const easyserve = await startEasyserve(t, { fixture: 'wsgi-hello', mode, settings });
    const before = await easyserve.appPids();
    const tally = await loadDuring(easyserve.url, { connections: 4, minRequests: 200 }, async () => {
      const stuck = await ask(easyserve.url, '/stuck', { timeoutMs: 4_000 });
      assert.equal(stuck.status, 504);

      const record = await logged(easyserve, 'request-stuck');
      assert.equal(record.path, '/stuck');
      assert.match(
        String(record.detail),
        new RegExp(`faults\\.py", line ${lineOf(easyserve.dir)}, in stuck`),
      );
      const recycled = await logged(easyserve, 'app-recycle');
      assert.equal(recycled.app, record.app);
      await logged(easyserve, 'app-ready', ({ app }) => !before.includes(Number(app)));
      await eventually(() => assert.ok(!isAlive(Number(record.app))));
    });
    expectNoFailures(tally, { atLeast: 200, versions: ['v1'] });
    await eventually(async () => assert.equal((await easyserve.apps()).length, mode === 'single' ? 1 : 2));
  });

  testIn('a request that lets no other thread run is ended too', async (t) => {
    const easyserve = await startEasyserve(t, { fixture: 'wsgi-hello', mode, settings });
    const stuck = await ask(easyserve.url, '/stuck?how=gil');
    assert.equal(stuck.status, 504);
    const record = await logged(easyserve, 'request-stuck');
    await logged(easyserve, 'app-recycle', ({ app }) => app === record.app);
    await eventually(() => assert.ok(!isAlive(Number(record.app))));
    assert.equal((await ask(easyserve.url, '/version')).status, 200);
  });
});

function lineOf(dir: string): number {
  const lines = readFileSync(join(dir, 'faults.py'), 'utf8').split('\n');
  return lines.findIndex((line) => line.includes('# here it is stuck')) + 1;
}

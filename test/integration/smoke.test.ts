import assert from 'node:assert/strict';
import { forEachMode } from '../support/for-each-mode.js';
import { expectNoFailures, loadDuring } from '../support/load-during.js';
import { startEasyserve } from '../support/start-easyserve.js';

// The whole program once, in a few seconds: scripts/test runs this file under every version of Node.
forEachMode(['single', 'cluster'], (mode, testIn) => {
  testIn('starts, serves, reloads under load, tells its status and stops', async (t) => {
    const easyserve = await startEasyserve(t, { fixture: 'wsgi-hello', mode });

    const tally = await loadDuring(easyserve.url, { connections: 4, minRequests: 400 }, async () => {
      easyserve.writeFile('VERSION', 'v2\n');
      const { code, stderr } = await easyserve.cli('reload');
      assert.equal(code, 0, stderr);
    });
    expectNoFailures(tally, { atLeast: 400, versions: ['v1', 'v2'] });

    const status = await easyserve.status();
    assert.equal(status.state, 'running');
    assert.equal(status.mode, mode);
    assert.equal(status.pid, easyserve.pid);
    assert.equal(status.generation, 2);
    assert.equal((await easyserve.appPids()).length, mode === 'single' ? 1 : 2);

    assert.deepEqual(await easyserve.stop(), { code: 0, signal: null });
  });
});

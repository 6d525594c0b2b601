import assert from 'node:assert/strict';
import { eventually } from '../support/eventually.js';
import { forEachMode } from '../support/for-each-mode.js';
import { expectNoFailures, loadDuring } from '../support/load-during.js';
import { startEasyserve } from '../support/start-easyserve.js';

forEachMode(['single', 'cluster'], (mode, testIn) => {
  testIn('ten SIGHUPs and a reload that is asked for during a reload fail no request', async (t) => {
    const easyserve = await startEasyserve(t, { fixture: 'wsgi-hello', mode });
    const tally = await loadDuring(easyserve.url, { connections: 4, minRequests: 400 }, async () => {
      for (let n = 0; n < 10; n += 1) easyserve.signal('SIGHUP');
      await easyserve.waitFor('reload');
      const [first, second] = await Promise.all([easyserve.cli('reload'), easyserve.cli('reload')]);
      assert.deepEqual([first.code, second.code], [0, 0], first.stderr + second.stderr);
      await eventually(async () => assert.equal((await easyserve.status()).state, 'running'));
    });
    expectNoFailures(tally, { atLeast: 400 });
    const { generation } = await easyserve.status();
    // Those that wait for their turn are one reload: at least one for the signals, and one that began after the last command.
    assert.ok(generation >= 2 && generation <= 6, `generation ${generation}`);
    assert.ok((await easyserve.apps()).every((app) => app.generation === generation));
  });
});

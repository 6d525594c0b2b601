import assert from 'node:assert/strict';
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { eventually } from '../support/eventually.js';
import { forEachMode } from '../support/for-each-mode.js';
import { ask } from '../support/http-client.js';
import { rssBytes } from '../support/processes.js';
import { startEasyserve } from '../support/start-easyserve.js';

const mostBytes = 300_000_000;

// `easyserve start | less`, or a terminal after Ctrl-S: the log goes nowhere, while the application prints on.
forEachMode(['single', 'cluster'], (mode, testIn) => {
  testIn('a log that nobody reads holds nobody up and does not fill the memory', async (t) => {
    const easyserve = await startEasyserve(t, { fixture: 'wsgi-hello', mode });
    const fronts = await easyserve.sitePids();
    easyserve.ignoreOutput();

    await ask(easyserve.url, '/flood?mb=150&width=100');
    await eventually(async () => {
      assert.equal((await ask(easyserve.url, '/version', { timeoutMs: 2_000 })).status, 200);
      assert.ok(existsSync(join(easyserve.dir, 'flood-over')));
    });
    for (const pid of [easyserve.pid, ...fronts]) {
      const bytes = rssBytes(pid);
      assert.ok(bytes < mostBytes, `${pid} has ${bytes} bytes`);
    }

    easyserve.readOutput();
    // What was left out is said with the next line that has room.
    await eventually(async () => {
      await ask(easyserve.url, '/version');
      assert.ok(easyserve.records.some(({ event, count }) => event === 'lines-lost' && Number(count) > 0));
    });
  });

  testIn('the site outlives the reader of its log', async (t) => {
    const easyserve = await startEasyserve(t, { fixture: 'wsgi-hello', mode });
    easyserve.closeOutput();
    for (let n = 0; n < 50; n += 1) {
      assert.equal((await ask(easyserve.url, '/version')).status, 200);
    }
    assert.equal((await easyserve.cli('reload')).code, 0);
    assert.deepEqual(await easyserve.stop(), { code: 0, signal: null });
  });
});

import assert from 'node:assert/strict';
import type { Easyserve } from '../support/easyserve.js';
import { forEachMode } from '../support/for-each-mode.js';
import { ask } from '../support/http-client.js';
import { expectNoFailures, loadDuring } from '../support/load-during.js';
import { rssBytes } from '../support/processes.js';
import { startEasyserve } from '../support/start-easyserve.js';

const mostBytes = 300_000_000;
const floods = [
  { name: 'lines of a hundred characters', width: 100, mb: 20 },
  // Each of them becomes a record of a hundred.
  { name: 'the shortest lines', width: 2, mb: 1 },
];

// An application that prints without end.
forEachMode(['single', 'cluster'], (mode, testIn) => {
  for (const { name, width, mb } of floods) {
    testIn(`${name}: nothing is lost, and the front goes on answering`, async (t) => {
      const easyserve = await startEasyserve(t, { fixture: 'wsgi-hello', mode });
      const load = { connections: 2, minRequests: 50, requestTimeoutMs: 5_000 };
      const tally = await loadDuring(easyserve.url, load, async () => {
        await ask(easyserve.url, `/flood?mb=${mb}&width=${width}`);
        await easyserve.waitFor('application', ({ msg }) => msg === 'the flood is over');
        await assertSmall(easyserve);
      });
      expectNoFailures(tally, { atLeast: 50 });
      const lines = easyserve.records.filter(({ msg }) => String(msg).startsWith('x'));
      assert.equal(lines.length, mb * Math.floor(1_000_000 / width));
    });
  }
});

async function assertSmall(easyserve: Easyserve): Promise<void> {
  for (const pid of [easyserve.pid, ...(await easyserve.sitePids())]) {
    const bytes = rssBytes(pid);
    assert.ok(bytes < mostBytes, `${pid} has ${bytes} bytes`);
  }
}

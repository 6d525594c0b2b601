import assert from 'node:assert/strict';
import { makeTempDir } from '../support/copy-fixture.js';
import type { Easyserve } from '../support/easyserve.js';
import { eventually } from '../support/eventually.js';
import { forEachServer, serverCases, startServer } from '../support/for-each-server.js';
import { expectNoFailures, loadDuring } from '../support/load-during.js';
import { NonceTraffic } from '../support/nonce-traffic.js';
import { killProcess } from '../support/processes.js';
import { urlOf } from '../support/secure-client.js';

// Every request has a nonce, and every answer repeats it: one that came to somebody else cannot hide. Meanwhile clients go
// away, processes are killed, and the release is replaced.

const servers = ['gateway', 'cheroot', 'uvicorn', 'express'];
const kills = 3;

forEachServer(
  serverCases.filter(({ name }) => servers.includes(name)),
  (serverCase, mode, testIn) => {
    testIn('no answer comes to another request, whatever breaks', async (t) => {
      const easyserve = await startServer(t, serverCase, mode, {
        ...{ https: true, httpsPort: 0, acmeFolder: makeTempDir(t), bodyMemoryBytes: 50_000 },
      });
      const plainUrl = await urlOf(easyserve, 'http');
      const traffic = new NonceTraffic(plainUrl, await urlOf(easyserve, 'https'));
      await traffic.during(5, async () => {
        for (let kill = 0; kill < kills; kill += 1) await killOne(easyserve);
        const { code, stderr } = await easyserve.cli('reload');
        assert.equal(code, 0, stderr);
      });
      assert.deepEqual(traffic.mixUps, [], traffic.summary);
      for (const answered of Object.values(traffic.answered)) assert.ok(answered > 20, traffic.summary);
      assert.ok(traffic.aborted > 20, traffic.summary);

      const after = await loadDuring(plainUrl, { connections: 6, minRequests: 200 }, async () => {});
      expectNoFailures(after, { atLeast: 200 });
    });
  },
);

/** In the middle of what it has to do; resolves when all are ready again. */
async function killOne(easyserve: Easyserve): Promise<void> {
  const before = await easyserve.appPids();
  const [victim] = before;
  assert.ok(victim !== undefined);
  killProcess(victim, 'SIGKILL');
  await eventually(
    async () => {
      const apps = await easyserve.apps();
      assert.ok(apps.length === before.length && apps.every(({ pid }) => pid !== victim));
      assert.ok(apps.every(({ state }) => state === 'ready'));
    },
    { timeoutMs: 30_000 },
  );
}

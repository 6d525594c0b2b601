import assert from 'node:assert/strict';
import { readdirSync } from 'node:fs';
import { join } from 'node:path';
import { type TestContext, test } from 'node:test';
import type { Easyserve } from '../support/easyserve.js';
import { eventually } from '../support/eventually.js';
import { integrationTimeoutMs } from '../support/for-each-mode.js';
import { describeTally, expectNoFailures, loadDuring } from '../support/load-during.js';
import { logged } from '../support/logged.js';
import { isAlive, killProcess } from '../support/processes.js';
import { type RawConnection, rawConnection } from '../support/raw-connection.js';
import { startEasyserve } from '../support/start-easyserve.js';

// kill -9 of a throng worker under load; single mode has none. With one front nobody accepts for a moment, with two
// the other one does.
for (const fronts of [1, 2]) {
  const name = `cluster with ${fronts} fronts: a killed worker comes back and leaves nothing behind`;
  test(name, { timeout: integrationTimeoutMs }, async (t) => {
    const easyserve = await startEasyserve(t, {
      fixture: 'wsgi-hello',
      mode: 'cluster',
      args: ['--fronts', String(fronts), '--set', 'bodyMemoryBytes=1000'],
    });
    const [victim, ...others] = (await easyserve.status()).sites;
    assert.ok(victim !== undefined);

    const tally = await loadDuring(easyserve.url, { connections: 6, minRequests: 400 }, async () => {
      const uploads = await leaveUploadAt(t, easyserve, victim.pid);
      killProcess(victim.pid, 'SIGKILL');
      const crash = await easyserve.waitFor('worker-crashed');
      assert.equal(crash.worker, victim.pid);
      const ready = await logged(easyserve, 'worker-ready');
      assert.notEqual(ready.worker, victim.pid);
      for (const upload of uploads) upload.reset();
    });
    // What the worker had in hand is cut; nobody else notices.
    for (const failure of tally.failures) {
      assert.ok(['reset', 'truncated'].includes(failure.kind), describeTally(tally));
    }
    // Each client has one fresh connection, and one that it keeps.
    assert.ok(tally.failures.length <= 12, describeTally(tally));

    await eventually(() =>
      assert.deepEqual(
        victim.apps.filter(({ pid }) => isAlive(pid)),
        [],
      ),
    );
    assert.deepEqual(filesOf(easyserve, victim.pid), []);
    const sites = await easyserve.sitePids();
    assert.equal(sites.length, fronts);
    assert.ok(!sites.includes(victim.pid));
    for (const { pid } of others) assert.ok(sites.includes(pid));

    const after = await loadDuring(easyserve.url, { connections: 6, minRequests: 200 }, async () => {});
    expectNoFailures(after, { atLeast: 200 });
  });
}

/** Sends half of an upload, so that the worker holds a spool file. Any worker may accept a connection. */
async function leaveUploadAt(t: TestContext, easyserve: Easyserve, worker: number): Promise<RawConnection[]> {
  const uploads: RawConnection[] = [];
  await eventually(async () => {
    const upload = await rawConnection(t, easyserve.url);
    uploads.push(upload);
    upload.send(`POST /echo HTTP/1.1\r\nHost: localhost\r\nContent-Length: 9000\r\n\r\n${'x'.repeat(5000)}`);
    assert.ok(filesOf(easyserve, worker).some((file) => file.startsWith('spool/')));
  });
  return uploads;
}

/** Sockets and spooled bodies: their names begin with the pid of the worker. */
function filesOf(easyserve: Easyserve, worker: number): string[] {
  return ['run', 'spool'].flatMap((folder) =>
    readdirSync(join(easyserve.dir, '.easyserve', folder))
      .filter((name) => name.startsWith(`${worker}-`))
      .map((name) => `${folder}/${name}`),
  );
}

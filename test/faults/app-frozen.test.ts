import assert from 'node:assert/strict';
import { eventually } from '../support/eventually.js';
import { forEachMode } from '../support/for-each-mode.js';
import { ask } from '../support/http-client.js';
import { expectNoFailures, loadDuring } from '../support/load-during.js';
import { isAlive, killProcess, statOf } from '../support/processes.js';
import { startEasyserve } from '../support/start-easyserve.js';

// SIGSTOP: the process is there, but does nothing. Like one that the system has swapped out.
forEachMode(['single', 'cluster'], (mode, testIn) => {
  testIn('requests wait for a process that is frozen for a moment', async (t) => {
    const easyserve = await startEasyserve(t, { fixture: 'wsgi-hello', mode });
    const [frozen] = await easyserve.appPids();
    assert.ok(frozen !== undefined);
    const tally = await loadDuring(easyserve.url, { connections: 4, minRequests: 200 }, async () => {
      killProcess(frozen, 'SIGSTOP');
      await eventually(() => assert.equal(statOf(frozen)?.state, 'T'));
      // While it is frozen easyserve itself answers.
      assert.ok((await easyserve.appPids()).includes(frozen));
      killProcess(frozen, 'SIGCONT');
    });
    expectNoFailures(tally, { atLeast: 200 });
    assert.ok(isAlive(frozen));
  });

  testIn('a process that stays frozen is replaced and killed', async (t) => {
    const easyserve = await startEasyserve(t, {
      fixture: 'wsgi-hello',
      mode,
      settings: { requestTimeoutMs: 1_000, drainTimeoutMs: 300, killTimeoutMs: 300 },
    });
    const frozen = await easyserve.appPids();
    for (const pid of frozen) killProcess(pid, 'SIGSTOP');
    await eventually(() => {
      for (const pid of frozen) assert.equal(statOf(pid)?.state, 'T');
    });
    // One for each process: the one with most idle threads gets the next.
    const answers = await Promise.all(frozen.map(() => ask(easyserve.url, '/version')));
    for (const { status } of answers) assert.equal(status, 504);

    for (const _ of frozen) {
      const record = await easyserve.waitFor('request-stuck');
      assert.ok(frozen.includes(Number(record.app)));
    }
    await eventually(() => assert.deepEqual(frozen.filter(isAlive), []));
    const tally = await loadDuring(easyserve.url, { connections: 4, minRequests: 200 }, async () => {});
    expectNoFailures(tally, { atLeast: 200 });
    assert.equal((await easyserve.apps()).length, frozen.length);
  });
});

import assert from 'node:assert/strict';
import { eventually } from '../support/eventually.js';
import { forEachMode } from '../support/for-each-mode.js';
import { holdRequest, releaseRequests } from '../support/held-requests.js';
import { ask } from '../support/http-client.js';
import { describeTally, expectNoFailures, loadDuring } from '../support/load-during.js';
import { logged } from '../support/logged.js';
import { isAlive, killProcess } from '../support/processes.js';
import { startEasyserve } from '../support/start-easyserve.js';

// kill -9 of an application process under load. Single mode has one of them, cluster mode here two.
forEachMode(['single', 'cluster'], (mode, testIn) => {
  testIn('GETs in flight are sent once more, POSTs get a 502, and the process comes back', async (t) => {
    const easyserve = await startEasyserve(t, { fixture: 'wsgi-hello', mode });
    const before = await easyserve.appPids();

    const tally = await loadDuring(easyserve.url, { connections: 4, minRequests: 400 }, async () => {
      const post = await holdRequest(easyserve, 'POST');
      const gets = [];
      // Until one is where the POST is; the process with most idle threads gets each.
      do gets.push(await holdRequest(easyserve, 'GET'));
      while (gets.at(-1)?.app !== post.app && gets.length < 5);
      assert.equal(gets.at(-1)?.app, post.app);

      killProcess(post.app, 'SIGKILL');
      const lost = await post.answer;
      assert.equal(lost.status, 502);
      releaseRequests(easyserve);
      for (const get of gets) {
        const { status, text } = await get.answer;
        assert.equal(status, 200);
        assert.notEqual(JSON.parse(text).pid, post.app);
      }

      const crash = await easyserve.waitFor('app-crashed');
      assert.equal(crash.app, post.app);
      assert.equal(crash.signal, 'SIGKILL');
      await logged(easyserve, 'app-ready', ({ app }) => !before.includes(Number(app)));
    });
    const failedGets = tally.failures.filter(({ method }) => method === 'GET');
    assert.deepEqual(failedGets, [], describeTally(tally));
    for (const { kind, detail } of tally.failures) assert.match(`${kind} ${detail}`, /^status 502 /);
    assert.ok(easyserve.records.some(({ event }) => event === 'request-retried'));

    const apps = await easyserve.apps();
    assert.equal(apps.length, mode === 'single' ? 1 : 2);
    assert.equal(apps.filter(({ restarts }) => restarts === 1).length, 1);
    const after = await loadDuring(easyserve.url, { connections: 4, minRequests: 100 }, async () => {});
    expectNoFailures(after, { atLeast: 100 });
  });

  testIn('what the killed process had started ends with it', async (t) => {
    const easyserve = await startEasyserve(t, { fixture: 'wsgi-hello', mode });
    const { pid, child } = JSON.parse((await ask(easyserve.url, '/spawn')).text);
    assert.ok(isAlive(child));

    killProcess(pid, 'SIGKILL');
    await easyserve.waitFor('app-crashed');
    await eventually(() => assert.ok(!isAlive(child)));
  });
});

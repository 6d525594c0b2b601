import assert from 'node:assert/strict';
import { forEachMode } from '../support/for-each-mode.js';
import { holdRequest, releaseRequests } from '../support/held-requests.js';
import { ask } from '../support/http-client.js';
import { logged } from '../support/logged.js';
import { startEasyserve } from '../support/start-easyserve.js';
import { untilQueued } from '../support/until-queued.js';

forEachMode(['single', 'cluster'], (mode, testIn) => {
  const processes = mode === 'single' ? 1 : 2;

  testIn('what does not fit into the queue gets a 503 at once, the rest is answered in order', async (t) => {
    const easyserve = await startEasyserve(t, {
      fixture: 'wsgi-hello',
      mode,
      args: ['--threads', '1', '--set', 'queueRequests=3'],
    });
    const running = [];
    for (let n = 0; n < processes; n += 1) running.push(await holdRequest(easyserve, 'GET'));
    const waiting = [];
    for (let n = 0; n < 3; n += 1) {
      waiting.push(ask(easyserve.url, `/hold?tag=waiting-${n}`));
      await untilQueued(easyserve, n + 1);
    }

    const surplus = await ask(easyserve.url, '/version', { timeoutMs: 2_000 });
    assert.equal(surplus.status, 503);
    assert.equal(surplus.headers['retry-after'], '2');
    await logged(easyserve, 'queue-full');

    releaseRequests(easyserve);
    for (const { answer } of running) assert.equal((await answer).status, 200);
    for (const answer of waiting) assert.equal((await answer).status, 200);
    if (mode === 'single') {
      for (let n = 0; n < 3; n += 1) {
        await easyserve.waitFor('application', ({ msg }) => msg === `holding waiting-${n}`);
      }
    }
  });

  testIn('who has waited too long gets a 503', async (t) => {
    const easyserve = await startEasyserve(t, {
      fixture: 'wsgi-hello',
      mode,
      args: ['--threads', '1', '--set', 'queueTimeoutMs=300'],
    });
    const running = [];
    for (let n = 0; n < processes; n += 1) running.push(await holdRequest(easyserve, 'GET'));
    const startedAtMs = performance.now();
    const late = await ask(easyserve.url, '/version', { timeoutMs: 3_000 });
    const waitedMs = performance.now() - startedAtMs;
    assert.equal(late.status, 503);
    assert.equal(late.headers['retry-after'], '5');
    assert.ok(waitedMs >= 300, `answered after ${waitedMs} ms`);

    releaseRequests(easyserve);
    for (const { answer } of running) assert.equal((await answer).status, 200);
  });
});

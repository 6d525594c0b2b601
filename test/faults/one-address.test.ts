import assert from 'node:assert/strict';
import { forEachMode } from '../support/for-each-mode.js';
import { holdRequest, releaseRequests } from '../support/held-requests.js';
import { ask } from '../support/http-client.js';
import { logged } from '../support/logged.js';
import { startEasyserve } from '../support/start-easyserve.js';
import { untilQueued } from '../support/until-queued.js';

const threads = 4;
const flood = 60;

forEachMode(['single', 'cluster'], (mode, testIn) => {
  testIn('one address with sixty slow pages makes no other wait for them, nor fills the queue', async (t) => {
    const modeArgs = mode === 'single' ? ['--threads', '4'] : ['--threads', '2', '--fronts', '1'];
    const site = await startEasyserve(t, {
      fixture: 'wsgi-hello',
      mode,
      args: [...modeArgs, '--set', `queueRequests=${flood}`],
    });
    const running = [];
    for (let n = 0; n < threads; n += 1) running.push(await holdRequest(site, 'GET'));
    const asked = Array.from({ length: flood }, (_, n) =>
      ask(site.url, `/hold?tag=flood-${n}`, { timeoutMs: 60_000 }),
    );
    await untilQueued(site, flood);

    // There is no room: one of the flood has to go for the visitor.
    const visitor = ask(site.url, '/hold?tag=visitor', { localAddress: '127.0.0.2', timeoutMs: 60_000 });
    const refused = await Promise.race(asked);
    assert.equal(refused.status, 503);
    await logged(site, 'queue-full');

    let answered = 0;
    for (const answer of asked) void answer.then(() => (answered += 1));
    releaseRequests(site);
    assert.equal((await visitor).status, 200);
    // First come, first served, it would be the last of all.
    assert.ok(answered < flood / 2, `${answered} of the flood were answered before the visitor`);
    const statuses = (await Promise.all(asked)).map(({ status }) => status);
    assert.equal(statuses.filter((status) => status === 200).length, flood - 1);
    for (const { answer } of running) assert.equal((await answer).status, 200);
  });
});

import assert from 'node:assert/strict';
import { forEachMode } from '../support/for-each-mode.js';
import { ask } from '../support/http-client.js';
import { startEasyserve } from '../support/start-easyserve.js';

forEachMode(['single', 'cluster'], (mode, testIn) => {
  testIn(
    'thirty logins at once: ten go through, whichever front they come to; pages are served on',
    async (t) => {
      const site = await startEasyserve(t, {
        fixture: 'wsgi-hello',
        mode,
        args:
          mode === 'cluster' ? ['--fronts', '2', '--set', 'rateLimits=login'] : ['--set', 'rateLimits=login'],
      });
      const tries = Array.from({ length: 30 }, () => ask(site.url, '/accounts/login/', { method: 'POST' }));
      const statuses = (await Promise.all(tries)).map(({ status }) => status);
      const refused = statuses.filter((status) => status === 429).length;
      // Whoever waits for six seconds on a slow machine gets one more.
      assert.ok(refused <= 20 && refused >= 15, `${refused} of 30 were refused`);
      assert.equal((await ask(site.url, '/version')).status, 200);
      await site.waitFor('rate-limited', ({ rule }) => rule === 'login');
    },
  );
});

import assert from 'node:assert/strict';
import { symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { TestContext } from 'node:test';
import { attack } from '../support/crash-attack.js';
import type { Easyserve } from '../support/easyserve.js';
import { forEachMode, type Mode } from '../support/for-each-mode.js';
import { ask } from '../support/http-client.js';
import { repositoryRoot } from '../support/repository.js';
import { startEasyserve } from '../support/start-easyserve.js';

/** Below it each page ends its process. */
const applications = {
  gateway: {
    fixture: 'wsgi-hello',
    file: 'app.py',
    text: `import os
def application(environ, start_response):
    if environ['PATH_INFO'].startswith('/report'):
        os._exit(3)
    start_response('200 OK', [('Content-Type', 'text/plain')])
    return [b'served']
`,
    settings: {},
  },
  Express: {
    fixture: 'node-hello',
    file: 'site.cjs',
    text: `const app = require('express')();
app.use((request, response) => {
  if (request.path.startsWith('/report')) setTimeout(() => { throw new Error('thrown on purpose'); }, 1);
  else response.send('served');
});
app.listen(3000);
`,
    settings: { app: 'site.cjs' },
  },
} as const;

/** Promised are 2 s; a machine that runs other tests beside this one loads a process in several. */
const LONGEST_WAIT_MS = 8_000;
const SECONDS = 6;

forEachMode(['single', 'cluster'], (mode, testIn) => {
  for (const server of ['gateway', 'Express'] as const) {
    testIn(
      `${server}: one page that ends its process, asked for each second: every other is answered`,
      async (t) => {
        const site = await startSite(t, server, mode);
        const tally = await attack(site.url, SECONDS, () => '/report');
        assert.deepEqual(tally.failures, [], JSON.stringify(tally));
        assert.ok(tally.longestWaitMs < LONGEST_WAIT_MS, JSON.stringify(tally));
        const suspect = await site.waitFor('request-suspect', ({ processes }) => processes === 2);
        assert.equal(suspect.msg, 'GET /report has ended 2 processes in 10 minutes');
        assert.ok(site.records.every(({ event }) => event !== 'crash-loop'));
        const { sites } = await site.status();
        assert.ok(sites.some(({ suspects }) => suspects[0]?.path === '/report'));
        // Beyond a few tries in each site it costs no process.
        const deaths = site.records.filter(({ event }) => event === 'app-crashed').length;
        assert.ok(deaths <= 4 * sites.length, `${deaths} processes`);
      },
    );

    testIn(`${server}: ever other pages that do so`, async (t) => {
      const site = await startSite(t, server, mode);
      const tally = await attack(site.url, SECONDS, (n) => `/report/${n}`);
      assert.deepEqual(tally.failures, [], JSON.stringify(tally));
      assert.ok(tally.longestWaitMs < LONGEST_WAIT_MS, JSON.stringify(tally));
    });

    testIn(`${server}: a GET that was alone in its process gets a 502, and costs one process`, async (t) => {
      const site = await startSite(t, server, mode);
      assert.equal((await ask(site.url, '/report')).status, 502);
      await site.waitFor('app-crashed');
      assert.equal((await ask(site.url, '/')).status, 200);
      assert.equal(site.records.filter(({ event }) => event === 'app-crashed').length, 1);
    });
  }
});

function startSite(t: TestContext, server: keyof typeof applications, mode: Mode): Promise<Easyserve> {
  const { fixture, file, text, settings } = applications[server];
  return startEasyserve(t, {
    fixture,
    mode,
    settings,
    prepare: (dir) => {
      writeFileSync(join(dir, file), text);
      if (fixture === 'node-hello')
        symlinkSync(join(repositoryRoot, 'node_modules'), join(dir, 'node_modules'));
    },
  });
}

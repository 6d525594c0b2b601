import assert from 'node:assert/strict';
import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { type TestContext, test } from 'node:test';
import type { Easyserve } from '../support/easyserve.js';
import { eventually } from '../support/eventually.js';
import { integrationTimeoutMs } from '../support/for-each-mode.js';
import { ask } from '../support/http-client.js';
import { logged } from '../support/logged.js';
import { startEasyserve } from '../support/start-easyserve.js';

// Whatever a Node.js application does, the front goes on, and the application is replaced.

for (const [what, path, reason] of [
  ['an exception', '/throw', /exited by itself with code 1/],
  ['process.exit', '/exit', /exited by itself with code 7/],
] as const) {
  faultTest(what, async (t) => {
    const site = await startSite(t);
    await ask(site.url, path, { method: 'POST' });
    const crash = await logged(site, 'app-crashed');
    assert.match(String(crash.msg), reason);
    if (path === '/throw') assert.match(String(crash.detail), /Error: thrown on purpose\n.*answers\.js/);
    await expectReplaced(site);
  });
}

faultTest('a full heap: V8 ends the process, and says why', async (t) => {
  const site = await startSite(t, {}, 'node --max-old-space-size=64 server.js');
  // A GET would be sent again, to the process that takes over.
  const exhausted = ask(site.url, '/array', { method: 'POST' });
  await expectFrontServes(site);
  assert.ok((await exhausted).status >= 500);
  const crash = await logged(site, 'app-crashed');
  assert.match(String(crash.msg), /died of SIGABRT/);
  assert.match(String(crash.detail), /JavaScript heap out of memory/);
  await expectReplaced(site);
});

faultTest('an endless loop: 504, and the process is replaced', async (t) => {
  const site = await startSite(t, { requestTimeoutMs: 500, killTimeoutMs: 500 });
  const stuck = ask(site.url, '/loop');
  await expectFrontServes(site);
  assert.equal((await stuck).status, 504);
  await logged(site, 'request-stuck');
  await expectReplaced(site);
});

faultTest('another working folder: it is that of the application alone', async (t) => {
  const site = await startSite(t);
  assert.equal((await ask(site.url, '/chdir')).text, '/tmp');
  assert.equal((await site.cli('reload')).code, 0);
  assert.equal(JSON.parse((await ask(site.url, '/pid')).text).cwd, site.dir);
  await expectFrontServes(site);
});

function faultTest(name: string, body: (t: TestContext) => Promise<void>): void {
  test(name, { timeout: integrationTimeoutMs }, body);
}

/** `startScript`: that of package.json. */
function startSite(
  t: TestContext,
  settings: Record<string, unknown> = {},
  startScript = 'node server.js',
): Promise<Easyserve> {
  return startEasyserve(t, {
    mode: 'single',
    fixture: 'node-site',
    settings: { wellKnownRoot: 'known', ...settings },
    prepare: (dir) => {
      mkdirSync(join(dir, 'known'));
      writeFileSync(join(dir, 'known', 'file.txt'), 'from the front');
      const packageJson = { private: true, type: 'module', scripts: { start: startScript } };
      writeFileSync(join(dir, 'package.json'), JSON.stringify(packageJson));
    },
  });
}

/** What the front serves by itself, while the application is of no use. */
async function expectFrontServes(site: Easyserve): Promise<void> {
  for (let count = 0; count < 20; count += 1) {
    assert.equal((await ask(site.url, '/.well-known/file.txt', { timeoutMs: 2000 })).text, 'from the front');
  }
}

/** The front is the same process as before, and the application serves again. */
async function expectReplaced(site: Easyserve): Promise<void> {
  await expectFrontServes(site);
  await eventually(
    async () => {
      const [app, ...others] = await site.apps();
      assert.equal(others.length, 0);
      assert.equal(app?.state, 'ready');
      assert.match((await ask(site.url, '/')).text, /^version one/);
    },
    { timeoutMs: 30_000 },
  );
  assert.deepEqual(await site.sitePids(), [site.pid]);
}

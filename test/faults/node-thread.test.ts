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

// In single mode the application is a thread of the front's own process: whatever it does, the front goes on.

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
    await expectReplaced(site, 'thread');
  });
}

for (const [what, path] of [
  ['one array', '/array'],
  ['buffers', '/buffers'],
] as const) {
  faultTest(`memory exhaustion by ${what}`, async (t) => {
    const site = await startSite(t);
    // A GET would be sent again, to the process that takes over.
    const exhausted = ask(site.url, path, { method: 'POST' });
    await expectFrontServes(site);
    assert.ok((await exhausted).status >= 500);
    const { reason } = await logged(site, 'node-process');
    assert.match(String(reason), /^it used more than \d+ MB of memory$/);
    // What fills the memory does so in a process of its own from now on, where it is nobody else's.
    await expectReplaced(site, 'process');
  });
}

faultTest('an endless loop: 504, and the thread is replaced', async (t) => {
  const site = await startSite(t, { requestTimeoutMs: 500, killTimeoutMs: 500 });
  const stuck = ask(site.url, '/loop');
  await expectFrontServes(site);
  assert.equal((await stuck).status, 504);
  await logged(site, 'request-stuck');
  await expectReplaced(site, 'thread');
});

faultTest('what only a process may do, while it serves: a process takes over', async (t) => {
  const site = await startSite(t);
  await ask(site.url, '/chdir');
  assert.equal((await logged(site, 'node-process')).reason, 'it calls process.chdir()');
  await expectReplaced(site, 'process');
  assert.equal((await ask(site.url, '/chdir')).text, '/tmp');
});

for (const [what, source, reason] of [
  ['process.chdir', "process.chdir('/');", 'it calls process.chdir()'],
  ['a signal', "process.on('SIGTERM', () => process.exit(0));", 'it listens for the signal SIGTERM'],
] as const) {
  faultTest(`${what}, at its start: a process from the beginning`, async (t) => {
    const site = await startSite(t, {}, `${source}\nawait import('./server.js');\n`);
    assert.match((await ask(site.url, '/')).text, /^version one/);
    assert.equal((await site.apps())[0]?.execution, 'process');
    assert.notEqual((await site.appPids())[0], site.pid);
    assert.equal((await site.cli('reload')).code, 0);
    assert.match((await ask(site.url, '/')).text, /^version one/);
    const told = site.records.filter(({ event }) => event === 'node-process');
    assert.deepEqual(
      told.map((record) => record.reason),
      [reason],
    );
  });
}

function faultTest(name: string, body: (t: TestContext) => Promise<void>): void {
  test(name, { timeout: integrationTimeoutMs }, body);
}

/** `main`: another file that is started instead of server.js. */
function startSite(
  t: TestContext,
  settings: Record<string, unknown> = {},
  main?: string,
): Promise<Easyserve> {
  return startEasyserve(t, {
    mode: 'single',
    fixture: 'node-site',
    settings: { wellKnownRoot: 'known', ...(main === undefined ? {} : { app: 'main.js' }), ...settings },
    prepare: (dir) => {
      mkdirSync(join(dir, 'known'));
      writeFileSync(join(dir, 'known', 'file.txt'), 'from the front');
      if (main !== undefined) writeFileSync(join(dir, 'main.js'), main);
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
async function expectReplaced(site: Easyserve, execution: 'thread' | 'process'): Promise<void> {
  await expectFrontServes(site);
  await eventually(
    async () => {
      const [app, ...others] = await site.apps();
      assert.equal(others.length, 0);
      assert.equal(app?.state, 'ready');
      assert.equal(app.execution, execution);
      assert.match((await ask(site.url, '/')).text, /^version one/);
    },
    { timeoutMs: 30_000 },
  );
  assert.deepEqual(await site.sitePids(), [site.pid]);
}

import assert from 'node:assert/strict';
import { appendFileSync } from 'node:fs';
import { join } from 'node:path';
import { forEachMode } from '../support/for-each-mode.js';
import { ask } from '../support/http-client.js';
import { startEasyserve } from '../support/start-easyserve.js';

/** Stands in easyserve.json instead of the address that startEasyserve would give. */
const anyHost = { host: undefined };

function switchDebugOn(dir: string): void {
  appendFileSync(join(dir, 'minimal/settings.py'), '\nDEBUG = True\n');
}

forEachMode(['single', 'cluster'], (mode, testIn) => {
  testIn('DEBUG = True and no host: only this machine, with a warning', async (t) => {
    const easyserve = await startEasyserve(t, {
      fixture: 'django-minimal',
      mode,
      inFile: true,
      settings: anyHost,
      prepare: switchDebugOn,
    });
    assert.match(easyserve.url, /^http:\/\/127\.0\.0\.1:/);
    const warning = easyserve.records.find(({ event }) => event === 'debug-loopback');
    assert.equal(warning?.level, 'warn');
    assert.match(String(warning?.hint), /DEBUG = False/);
  });

  testIn('DEBUG = True with a host: that host, no warning', async (t) => {
    const easyserve = await startEasyserve(t, {
      fixture: 'django-minimal',
      mode,
      inFile: true,
      settings: { host: '0.0.0.0' },
      prepare: switchDebugOn,
    });
    assert.match(easyserve.url, /^http:\/\/localhost:/);
    assert.ok(!easyserve.records.some(({ event }) => event === 'debug-loopback'));
    assert.equal((await ask(`http://127.0.0.1:${new URL(easyserve.url).port}`, '/')).status, 200);
  });

  testIn('DEBUG = False and no host: every address of this machine', async (t) => {
    const easyserve = await startEasyserve(t, {
      fixture: 'django-minimal',
      mode,
      inFile: true,
      settings: anyHost,
    });
    assert.match(easyserve.url, /^http:\/\/localhost:/);
    assert.ok(!easyserve.records.some(({ event }) => event === 'debug-loopback'));
    const { port } = new URL(easyserve.url);
    for (const [host, client] of [
      ['127.0.0.1', '127.0.0.1'],
      ['[::1]', '::1'],
    ]) {
      await fetch(`http://${host}:${port}/from-${client}`);
      const record = await easyserve.waitFor('access', ({ path }) => path === `/from-${client}`);
      assert.equal(record.client, client);
    }
  });
});

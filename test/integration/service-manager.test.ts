import assert from 'node:assert/strict';
import { randomUUID } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { makeTempDir } from '../support/copy-fixture.js';
import type { Easyserve } from '../support/easyserve.js';
import { forEachMode } from '../support/for-each-mode.js';
import { activated, receiveNotifications } from '../support/service-manager.js';
import { startEasyserve } from '../support/start-easyserve.js';

/** What only easyserve is to know. */
const ofServiceManager = /^(NOTIFY_SOCKET|LISTEN_\w+|WATCHDOG_\w+)=/m;

async function expectCleanEnvironment(easyserve: Easyserve): Promise<void> {
  const pids = await easyserve.appPids();
  assert.ok(pids.length > 0);
  for (const pid of pids) {
    assert.doesNotMatch(
      readFileSync(`/proc/${pid}/environ`, 'utf8').replaceAll('\0', '\n'),
      ofServiceManager,
    );
  }
}

forEachMode(['single', 'cluster'], (mode, testIn) => {
  testIn('the service manager is told what happens, in order', async (t) => {
    const abstract = `@easyserve-test-${randomUUID()}`;
    const address = mode === 'single' ? join(makeTempDir(t), 'notify') : abstract;
    const messages = await receiveNotifications(t, address);
    const easyserve = await startEasyserve(t, {
      mode,
      fixture: 'wsgi-hello',
      env: { NOTIFY_SOCKET: address, WATCHDOG_USEC: '400000' },
    });
    await messages.until(`READY=1 MAINPID=${easyserve.pid} STATUS=serving`);
    await messages.until('WATCHDOG=1');
    await expectCleanEnvironment(easyserve);
    assert.equal((await easyserve.cli('reload')).code, 0);
    assert.equal((await easyserve.cli('restart')).code, 0);
    await easyserve.stop();
    await messages.until('STOPPING=1');
    const states = messages.text.match(/\b(READY|RELOADING|STOPPING)=1(?= .*)(?: MONOTONIC_USEC=[1-9]\d+)?/g);
    assert.deepEqual(
      states?.map((state) => state.replace(/\d{2,}/, 'N')),
      [
        'READY=1',
        'RELOADING=1 MONOTONIC_USEC=N',
        'READY=1',
        'RELOADING=1 MONOTONIC_USEC=N',
        'READY=1',
        'STOPPING=1',
      ],
    );
  });

  testIn('sockets that the service manager has bound are served, over reload and restart', async (t) => {
    const easyserve = await startEasyserve(t, {
      mode,
      fixture: 'wsgi-hello',
      inFile: true,
      settings: { watch: false },
      under: activated('other', 'http'),
    });
    const ports = easyserve.records.find(({ event }) => event === 'activated')?.ports as number[];
    assert.equal(easyserve.url, `http://127.0.0.1:${ports[1]}/`);
    const unused = easyserve.records.find(({ event }) => event === 'socket-unused');
    assert.equal(unused?.address, `other, 127.0.0.1:${ports[0]}`);
    await expectCleanEnvironment(easyserve);
    // Where it listens is the unit's business, whatever the settings say.
    easyserve.writeSettings({ port: 65_535, host: '0.0.0.0' });
    for (const verb of ['reload', 'restart']) {
      assert.equal((await easyserve.cli(verb)).code, 0);
      assert.equal((await fetch(easyserve.url)).status, 200);
    }
    assert.deepEqual((await easyserve.status()).urls, [`http://127.0.0.1:${ports[1]}/`]);
  });
});

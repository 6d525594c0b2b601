import assert from 'node:assert/strict';
import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { eventually } from '../support/eventually.js';
import { forEachMode, integrationTimeoutMs } from '../support/for-each-mode.js';
import { ask } from '../support/http-client.js';
import { startEasyserve } from '../support/start-easyserve.js';

test('a folder with an index.html is a site: no process, no setting', {
  timeout: integrationTimeoutMs,
}, async (t) => {
  const site = await startEasyserve(t, { fixture: 'plain-site', mode: 'single' });
  const ready = site.records.find(({ event }) => event === 'ready');
  assert.equal(ready?.processes, 0);
  assert.equal(ready?.reason, 'a folder of files needs no application process');
  assert.deepEqual(site.processes(), [site.pid]);

  await t.test('pages, folders, and what is missing', async () => {
    assert.match((await ask(site.url, '/')).text, /The start page/);
    assert.equal((await ask(site.url, '/style.css')).headers['content-type'], 'text/css; charset=utf-8');
    assert.equal((await ask(site.url, '/guide?a=b')).headers.location, '/guide/?a=b');
    assert.match((await ask(site.url, '/guide/')).text, /The guide/);
    const missing = await ask(site.url, '/nowhere');
    assert.equal(missing.status, 404);
    assert.match(missing.text, /Nobody has written this page/);
    assert.equal((await ask(site.url, '/', { method: 'POST', body: 'x' })).status, 405);
  });

  await t.test('what is edited is seen within a second, what is added at once', async () => {
    site.writeFile('index.html', 'edited');
    await eventually(async () => assert.equal((await ask(site.url, '/')).text, 'edited'));
    site.writeFile('added.txt', 'added');
    assert.equal((await ask(site.url, '/added.txt')).text, 'added');
  });

  await t.test('a reload brings in new settings, and refuses those that cannot be', async () => {
    site.writeSettings({ fallback: 'index.html' });
    assert.equal((await site.cli('reload')).code, 0);
    const page = await ask(site.url, '/account/42');
    assert.deepEqual([page.status, page.text], [200, 'edited']);
    assert.equal((await ask(site.url, '/easyserve.json')).status, 404);

    site.writeSettings({ folder: 'dist' });
    const refused = await site.cli('reload');
    assert.equal(refused.code, 9);
    assert.match(refused.stderr, /There is no folder .*dist/);
    assert.equal((await ask(site.url, '/')).text, 'edited');
    site.writeSettings({ folder: undefined });
  });

  await t.test('status, scale and restart', async () => {
    const status = await site.cli('status');
    assert.match(status.stdout, /^mode +single process \(a folder of files/m);
    assert.match(status.stdout, /^app +\S+ \(a folder of files\)$/m);
    const scaled = await site.cli('scale', '2');
    assert.equal(scaled.code, 2);
    assert.match(scaled.stderr, /has no application processes/);
    const restarted = await site.cli('restart');
    assert.equal(restarted.code, 0, restarted.stderr);
    assert.equal((await ask(site.url, '/')).text, 'edited');
    assert.deepEqual(site.processes(), [site.pid]);
  });
});

forEachMode(['single', 'cluster'], (mode, testIn) => {
  testIn('a reload from an application to a folder, and back', async (t) => {
    const site = await startEasyserve(t, {
      fixture: 'wsgi-hello',
      mode,
      settings: {},
      prepare: (dir) => {
        mkdirSync(join(dir, 'dist'));
        writeFileSync(join(dir, 'dist/index.html'), 'built');
      },
    });
    assert.equal((await site.appPids()).length, mode === 'single' ? 1 : 2);

    site.writeSettings({ folder: 'dist' });
    assert.equal((await site.cli('reload')).code, 0);
    assert.equal((await ask(site.url, '/')).text, 'built');
    assert.equal((await ask(site.url, '/version')).status, 404);
    assert.deepEqual(await site.appPids(), []);

    site.writeSettings({ folder: undefined });
    assert.equal((await site.cli('reload')).code, 0);
    assert.match((await ask(site.url, '/')).text, /Hello from WSGI/);
    assert.equal((await site.appPids()).length, mode === 'single' ? 1 : 2);
  });
});

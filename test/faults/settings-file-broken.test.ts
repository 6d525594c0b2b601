import assert from 'node:assert/strict';
import { mkdirSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { forEachMode } from '../support/for-each-mode.js';
import { ask } from '../support/http-client.js';
import { startEasyserve } from '../support/start-easyserve.js';

forEachMode(['single', 'cluster'], (mode, testIn) => {
  testIn('a settings file that is half written, a folder or gone never takes the site down', async (t) => {
    const easyserve = await startEasyserve(t, {
      fixture: 'wsgi-hello',
      mode,
      settings: { accessLog: false },
    });
    const file = join(easyserve.dir, 'easyserve.json');
    const serves = async () => assert.equal((await ask(easyserve.url, '/version')).status, 200);

    writeFileSync(file, '{"accessLog": tr');
    await easyserve.waitFor('reload-failed');
    const half = await easyserve.cli('reload');
    assert.equal(half.code, 9);
    assert.match(half.stderr, /easyserve\.json/);
    await serves();

    rmSync(file);
    mkdirSync(file);
    const folder = await easyserve.cli('reload');
    assert.equal(folder.code, 9, folder.stdout + folder.stderr);
    assert.match(folder.stderr, /easyserve\.json/);
    assert.doesNotMatch(folder.stderr, /please report/);
    await serves();

    rmSync(file, { recursive: true });
    const gone = await easyserve.cli('reload');
    assert.equal(gone.code, 0, gone.stderr);
    await serves();
  });
});

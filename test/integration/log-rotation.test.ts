import assert from 'node:assert/strict';
import { closeSync, existsSync, openSync, readFileSync, renameSync } from 'node:fs';
import { join } from 'node:path';
import { makeTempDir } from '../support/copy-fixture.js';
import { eventually } from '../support/eventually.js';
import { forEachMode } from '../support/for-each-mode.js';
import { ask } from '../support/http-client.js';
import { startEasyserve } from '../support/start-easyserve.js';

forEachMode(['single', 'cluster'], (mode, testIn) => {
  testIn('SIGUSR1 goes on in a new log file, as often as wanted, and no line is missing', async (t) => {
    const file = join(makeTempDir(t), 'site.log');
    const output = openSync(file, 'a');
    t.after(() => closeSync(output));
    const easyserve = await startEasyserve(t, { fixture: 'wsgi-hello', mode, output });
    for (const round of [1, 2, 3]) {
      assert.equal((await ask(easyserve.url, `/version?round=${round}`)).status, 200);
      await eventually(() => assert.match(readFileSync(file, 'utf8'), new RegExp(`round=${round}"`)));
      renameSync(file, `${file}.${round}`);
      easyserve.signal('SIGUSR1');
      await eventually(() => assert.ok(existsSync(file)));
      await eventually(() => assert.match(readFileSync(file, 'utf8'), /"log-reopened"/));
    }
    assert.deepEqual(await easyserve.stop(), { code: 0, signal: null });
    for (const round of [1, 2, 3]) {
      const accesses = readFileSync(`${file}.${round}`, 'utf8').match(/round=\d/g);
      assert.deepEqual(accesses, [`round=${round}`]);
    }
    assert.match(readFileSync(file, 'utf8'), /"stopped"/);
  });
});

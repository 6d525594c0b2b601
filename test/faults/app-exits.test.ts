import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { forEachMode } from '../support/for-each-mode.js';
import { ask } from '../support/http-client.js';
import { logged } from '../support/logged.js';
import { startEasyserve } from '../support/start-easyserve.js';

// The log says how a process went, and the next one takes over.
forEachMode(['single', 'cluster'], (mode, testIn) => {
  testIn('os._exit(0) is a crash as well', async (t) => {
    const easyserve = await startEasyserve(t, { fixture: 'wsgi-hello', mode });
    assert.equal((await ask(easyserve.url, '/crash?code=0', { method: 'POST' })).status, 502);
    const crash = await easyserve.waitFor('app-crashed');
    assert.equal(crash.code, 0);
    assert.match(String(crash.msg), /exited by itself with code 0/);
    await logged(easyserve, 'app-ready', ({ app }) => app !== crash.app);
    assert.equal((await ask(easyserve.url, '/version')).status, 200);
  });

  testIn('a segmentation fault is logged with the line of Python that led to it', async (t) => {
    const easyserve = await startEasyserve(t, { fixture: 'wsgi-hello', mode });
    assert.equal((await ask(easyserve.url, '/segfault', { method: 'POST' })).status, 502);
    const crash = await easyserve.waitFor('app-crashed');
    assert.equal(crash.signal, 'SIGSEGV');
    assert.match(String(crash.detail), /Fatal Python error: Segmentation fault/);
    assert.match(String(crash.detail), new RegExp(`faults\\.py", line ${lineOf(easyserve.dir)} in segfault`));
    await logged(easyserve, 'app-ready', ({ app }) => app !== crash.app);
    assert.equal((await ask(easyserve.url, '/version')).status, 200);
  });
});

function lineOf(dir: string): number {
  const lines = readFileSync(join(dir, 'faults.py'), 'utf8').split('\n');
  return lines.findIndex((line) => line.includes('# here it dies')) + 1;
}

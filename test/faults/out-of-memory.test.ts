import assert from 'node:assert/strict';
import { forEachMode } from '../support/for-each-mode.js';
import { killProcess } from '../support/processes.js';
import { startEasyserve } from '../support/start-easyserve.js';

// The kernel ends with SIGKILL what takes too much memory, without a word to anybody.
forEachMode(['single', 'cluster'], (mode, testIn) => {
  testIn('the log says what an unexplained SIGKILL usually means', async (t) => {
    const easyserve = await startEasyserve(t, { fixture: 'wsgi-hello', mode });
    const [pid] = await easyserve.appPids();
    killProcess(Number(pid), 'SIGKILL');
    const crash = await easyserve.waitFor('app-crashed');
    assert.equal(crash.app, pid);
    assert.match(String(crash.msg), /when nobody did that by hand, it was probably for want of memory/);
  });
});

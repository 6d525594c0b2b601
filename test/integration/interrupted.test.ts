import assert from 'node:assert/strict';
import { appendFileSync, existsSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import { applicationModules } from '../support/broken-release.js';
import type { Easyserve } from '../support/easyserve.js';
import { eventually } from '../support/eventually.js';
import { forEachMode } from '../support/for-each-mode.js';
import { holdRequest, releaseRequests } from '../support/held-requests.js';
import { describeProcess } from '../support/processes.js';
import { spawnEasyserve, startEasyserve } from '../support/start-easyserve.js';
import { withDeadline } from '../support/with-deadline.js';

// Ctrl-C. That nothing is left then, no process and no file, startEasyserve looks for at the end of each test.
forEachMode(['single', 'cluster'], (mode, testIn) => {
  testIn('once: what is in flight is finished first', async (t) => {
    const easyserve = await startEasyserve(t, { fixture: 'wsgi-hello', mode });
    const held = await holdRequest(easyserve, 'POST');
    easyserve.signal('SIGINT');
    await easyserve.waitFor('stopping');
    assert.equal(easyserve.hasEnded, false);
    releaseRequests(easyserve);
    assert.equal((await held.answer).status, 200);
    assert.deepEqual(await easyserve.ended, { code: 0, signal: null });
  });

  testIn('twice: stops at once, with exit code 130', async (t) => {
    const easyserve = await startEasyserve(t, { fixture: 'wsgi-hello', mode });
    const held = await holdRequest(easyserve, 'POST');
    const outcome = held.answer.then(
      ({ status }) => status,
      () => 'cut',
    );
    easyserve.signal('SIGINT');
    await easyserve.waitFor('stopping');
    // One that comes too soon after the first is taken for its echo (src/signals.ts).
    const pressAgain = () => {
      if (!easyserve.hasEnded) easyserve.signal('SIGINT');
      assert.ok(easyserve.hasEnded, 'still there');
    };
    await eventually(pressAgain, { timeoutMs: 3_000, intervalMs: 60 });
    assert.deepEqual(await easyserve.ended, { code: 130, signal: null });
    assert.ok(['cut', 502, 503].includes(await outcome));
  });

  for (const fixture of ['django-minimal', 'wsgi-hello'] as const) {
    testIn(`while ${fixture} hangs at import: ends at once`, async (t) => {
      const easyserve = spawnEasyserve(t, {
        fixture,
        mode,
        prepare: (dir) => hangAtImport(join(dir, applicationModules[fixture])),
      });
      await eventually(() => assert.ok(existsSync(join(easyserve.dir, 'hanging'))), { timeoutMs: 30_000 });
      easyserve.signal('SIGINT');
      const ending = await withDeadline(easyserve.ended, 3_000, () => 'still there');
      assert.deepEqual(ending, { code: 0, signal: null });
    });
  }

  const steps: Readonly<Record<string, (easyserve: Easyserve) => boolean>> = {
    'the control socket is there': ({ dir }) => existsSync(join(dir, '.easyserve', 'control.sock')),
    'the project is looked at': (easyserve) => runs(easyserve, 'inspect_application.py'),
    'the application is started': (easyserve) => runs(easyserve, 'gateway.py'),
    'the application listens': ({ dir }) => existsSync(join(dir, '.easyserve/run')) && hasSocket(dir),
  };
  for (const [step, isReached] of Object.entries(steps)) {
    testIn(`as soon as ${step}: ends in an orderly way`, async (t) => {
      const easyserve = spawnEasyserve(t, { fixture: 'wsgi-hello', mode });
      await eventually(() => assert.ok(isReached(easyserve)), { timeoutMs: 30_000, intervalMs: 2 });
      easyserve.signal('SIGINT');
      const ending = await withDeadline(easyserve.ended, 10_000, () => 'still there');
      assert.deepEqual(ending, { code: 0, signal: null });
    });
  }
});

function runs(easyserve: Easyserve, program: string): boolean {
  return easyserve.processes().some((pid) => describeProcess(pid).includes(program));
}

function hasSocket(dir: string): boolean {
  return readdirSync(join(dir, '.easyserve/run')).some((name) => name.endsWith('.sock'));
}

function hangAtImport(module: string): void {
  appendFileSync(
    module,
    "\nimport pathlib, threading\npathlib.Path('hanging').touch()\nthreading.Event().wait()\n",
  );
}

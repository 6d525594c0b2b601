import assert from 'node:assert/strict';
import { appendFileSync, existsSync } from 'node:fs';
import { join } from 'node:path';
import { applicationModules } from '../support/broken-release.js';
import { copyFixture, makeTempDir } from '../support/copy-fixture.js';
import type { Easyserve } from '../support/easyserve.js';
import { eventually } from '../support/eventually.js';
import { forEachMode } from '../support/for-each-mode.js';
import { holdRequest } from '../support/held-requests.js';
import { ask } from '../support/http-client.js';
import { leftoversOf, stateFoldersOf } from '../support/leftovers.js';
import { describeProcess, killProcess } from '../support/processes.js';
import { startEasyserve } from '../support/start-easyserve.js';

// kill -9 of easyserve itself: nobody is left to tell the others.
forEachMode(['single', 'cluster'], (mode, testIn) => {
  testIn('every process ends by itself, and the next start clears up', async (t) => {
    const dir = copyFixture('wsgi-hello', join(makeTempDir(t), 'site'));

    await t.test('killed while a request is held', async (t) => {
      const easyserve = await startEasyserve(t, { dir, mode });
      await holdRequest(easyserve, 'GET');
      await kill(easyserve);
      assert.notDeepEqual(leftoversOf(stateFoldersOf(dir)), []);
    });

    await t.test('started again', async (t) => {
      const easyserve = await startEasyserve(t, { dir, mode });
      assert.ok(easyserve.records.some(({ event }) => event === 'recovered'));
      assert.equal((await ask(easyserve.url, '/version')).status, 200);
    });
  });

  // Django's wsgi.py is imported by the new application process, a plain app.py already by the look at the project.
  for (const fixture of ['django-minimal', 'wsgi-hello'] as const) {
    testIn(`a release of ${fixture} that hangs at import ends too`, async (t) => {
      const easyserve = await startEasyserve(t, { fixture, mode });
      hangAtImport(join(easyserve.dir, applicationModules[fixture]));
      easyserve.signal('SIGHUP');
      await eventually(() => assert.ok(existsSync(join(easyserve.dir, 'hanging'))));
      await kill(easyserve);
    });
  }
});

async function kill(easyserve: Easyserve): Promise<void> {
  killProcess(easyserve.pid, 'SIGKILL');
  await easyserve.ended;
  await eventually(() => assert.deepEqual(easyserve.processes().map(describeProcess), []), {
    timeoutMs: 5_000,
  });
}

/** Silently: who prints into a pipe that nobody reads any more would notice the end by that. */
function hangAtImport(module: string): void {
  appendFileSync(
    module,
    "\nimport pathlib, threading\npathlib.Path('hanging').touch()\nthreading.Event().wait()\n",
  );
}

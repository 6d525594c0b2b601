import assert from 'node:assert/strict';
import { dirname, join } from 'node:path';
import { type TestContext, test } from 'node:test';
import { copyFixture, makeTempDir } from '../support/copy-fixture.js';
import { integrationTimeoutMs } from '../support/for-each-mode.js';
import { runEasyserve } from '../support/run-easyserve.js';
import { startEasyserve } from '../support/start-easyserve.js';

const timeout = integrationTimeoutMs;

/** `site/mysite/manage.py`; returns `site/mysite`. */
function makeNested(t: TestContext): string {
  return copyFixture('django-minimal', join(makeTempDir(t), 'site', 'mysite'));
}

for (const startedIn of ['the folder with manage.py', 'the folder above it'] as const) {
  test(`started in ${startedIn}, every verb works in both folders`, { timeout }, async (t) => {
    const inner = makeNested(t);
    const outer = dirname(inner);
    const dir = startedIn === 'the folder above it' ? outer : inner;
    const easyserve = await startEasyserve(t, { dir, mode: 'single' });
    for (const cwd of [inner, outer]) {
      const { stdout } = await runEasyserve(['status', '--json'], { cwd });
      assert.equal(JSON.parse(stdout).pid, easyserve.pid);
      for (const verb of ['reload', 'logs', 'config']) {
        const { code, stderr } = await runEasyserve([verb], { cwd });
        assert.equal(code, 0, `${verb} in ${cwd}: ${stderr}`);
      }
      const again = await runEasyserve(['start', '--port', '0'], { cwd });
      assert.equal(again.code, 7, again.stderr);
      assert.match(again.stderr, new RegExp(`is served already \\(process ${easyserve.pid}\\)`));
      assert.doesNotMatch(again.stderr, /kill/);
    }
    const inPackage = await runEasyserve(['status'], { cwd: join(inner, 'minimal') });
    assert.match(inPackage.stderr, /manage\.py is one level up/);
    const other = dir === inner ? outer : inner;
    assert.equal((await runEasyserve(['stop'], { cwd: other })).code, 0);
  });
}

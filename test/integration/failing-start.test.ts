import assert from 'node:assert/strict';
import { appendFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { applicationModules, breakRelease } from '../support/broken-release.js';
import { copyFixture, type FixtureName, makeTempDir } from '../support/copy-fixture.js';
import { forEachMode, integrationTimeoutMs, type Mode } from '../support/for-each-mode.js';
import { leftoversOf, stateFoldersOf } from '../support/leftovers.js';
import { runEasyserve } from '../support/run-easyserve.js';
import { startEasyserve } from '../support/start-easyserve.js';

// An application that does not come up: the first start ends with what its owner has to know, and leaves nothing.
forEachMode(['single', 'cluster'], (mode, testIn) => {
  testIn("an exception in Django's wsgi.py: exit code 5, with the traceback", async (t) => {
    const dir = makeSite('django-minimal', makeTempDir(t));
    breakRelease(dir, 'import-error', applicationModules['django-minimal']);
    const { code, stderr } = await start(dir, mode);
    assert.equal(code, 5, stderr);
    assert.match(stderr, /No module named 'a_module_that_nobody_installed'/);
    assert.match(stderr, /minimal\/wsgi\.py", line \d+/);
    assertNothingLeft(dir);
  });

  testIn('an application that answers 500 is served, with a warning', async (t) => {
    const easyserve = await startEasyserve(t, {
      fixture: 'wsgi-hello',
      mode,
      prepare: (dir) => void breakRelease(dir, 'answers-500', applicationModules['wsgi-hello']),
    });
    const warning = easyserve.records.find(({ event }) => event === 'probe-failed');
    assert.match(String(warning?.msg), /answers \/ with status 500/);
  });

  // A plain app.py is imported already to look whether it is an application; Django's wsgi.py only to be served.
  for (const [fixture, exitCode] of [
    ['django-minimal', 5],
    ['wsgi-hello', 4],
  ] as const) {
    testIn(`${fixture} that hangs at import: says where, after readyTimeoutMs`, async (t) => {
      const dir = makeSite(fixture, makeTempDir(t));
      breakRelease(dir, 'hang-at-import', applicationModules[fixture]);
      const { code, stderr } = await start(dir, mode, '--set', 'readyTimeoutMs=1500');
      assert.equal(code, exitCode, stderr);
      assert.match(stderr, /It is still here:/);
      assert.match(stderr, /(wsgi|app)\.py", line \d+, in <module>\s+threading\.Event\(\)\.wait\(\)/);
      assert.match(stderr, /fix: .*readyTimeoutMs/);
      assertNothingLeft(dir);
    });
  }
});

for (const [release, said] of [
  ['syntax-error', /SyntaxError/],
  ['import-error', /No module named 'a_module_that_nobody_installed'/],
  ['exit-at-import', /sys\.exit\(7\)/],
] as const) {
  test(`${release} in app.py: exit code 4, with the traceback`, {
    timeout: integrationTimeoutMs,
  }, async (t) => {
    const dir = makeSite('wsgi-hello', makeTempDir(t));
    breakRelease(dir, release, applicationModules['wsgi-hello']);
    const { code, stderr } = await start(dir, 'single');
    assert.equal(code, 4, stderr);
    assert.match(stderr, said);
    assert.match(stderr, /app\.py", line \d+/);
    assertNothingLeft(dir);
  });
}

test("an exception in Django's settings: exit code 4, with the line", async (t) => {
  const dir = makeSite('django-minimal', makeTempDir(t));
  appendFileSync(join(dir, 'minimal/settings.py'), "\nDATABASE_PASSWORD = os.environ['NOT_SET_HERE']\n");
  const { code, stderr } = await start(dir, 'single');
  assert.equal(code, 4, stderr);
  assert.match(stderr, /KeyError: 'NOT_SET_HERE'/);
  assert.match(stderr, /minimal\/settings\.py", line \d+/);
  assertNothingLeft(dir);
});

function makeSite(fixture: FixtureName, base: string): string {
  return copyFixture(fixture, join(base, 'site'));
}

function start(dir: string, mode: Mode, ...args: readonly string[]) {
  const processes = mode === 'single' ? '1' : '2';
  const address = ['--host', '127.0.0.1', '--port', '0', '--processes', processes];
  return runEasyserve(['start', dir, ...address, ...args], { cwd: dir });
}

function assertNothingLeft(dir: string): void {
  assert.deepEqual(leftoversOf(stateFoldersOf(dir)), []);
}

import assert from 'node:assert/strict';
import { readFileSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { Background } from '../support/background.js';
import { applicationModules, breakRelease } from '../support/broken-release.js';
import { copyFixture, makeTempDir } from '../support/copy-fixture.js';
import { forEachMode } from '../support/for-each-mode.js';
import { ask } from '../support/http-client.js';
import { isAlive } from '../support/processes.js';

forEachMode(['single', 'cluster'], (mode, testIn) => {
  testIn('start --daemon returns when the site serves, and stop when nothing is left', async (t) => {
    const dir = copyFixture('wsgi-hello', join(makeTempDir(t), 'site'));
    const background = new Background(t, { dir });
    const { code, stdout, stderr } = await background.start('--processes', mode === 'single' ? '1' : '2');
    assert.equal(code, 0, stderr);
    const url = /^ {2}url +(\S+)$/m.exec(stdout)?.[1] ?? '';
    const pid = Number(/^ {2}process +(\d+)$/m.exec(stdout)?.[1]);
    const logFile = /^ {2}log +(\S+)$/m.exec(stdout)?.[1] ?? '';
    assert.equal((await ask(url, '/version')).status, 200);
    assert.ok(isAlive(pid));

    assert.equal(logFile, join(dir, '.easyserve', 'easyserve.log'));
    assert.equal(statSync(logFile).mode & 0o777, 0o600);
    const records = readFileSync(logFile, 'utf8')
      .trimEnd()
      .split('\n')
      .map((line) => JSON.parse(line));
    const ready = records.find(({ event }) => event === 'ready');
    assert.deepEqual([ready.url, ready.mode, ready.pid], [url, mode, pid]);

    const second = await background.start();
    assert.equal(second.code, 7);
    assert.ok(second.stderr.includes(`(process ${pid})`), second.stderr);

    const stopped = await background.run('stop');
    assert.deepEqual([stopped.code, stopped.stdout.trim()], [0, 'Stopped.']);
    assert.deepEqual(background.processes(), []);
    assert.equal((await background.run('status')).code, 8);
  });
});

test('start --daemon of an application that does not come up prints its error, and its exit code', async (t) => {
  const dir = copyFixture('django-minimal', join(makeTempDir(t), 'site'));
  breakRelease(dir, 'import-error', applicationModules['django-minimal']);
  const { code, stdout, stderr } = await new Background(t, { dir }).start();
  assert.equal(code, 5);
  assert.equal(stdout, '');
  assert.match(stderr, /No module named 'a_module_that_nobody_installed'/);
});

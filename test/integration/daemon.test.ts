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

test('logs shows what a daemon wrote before it ended, and before its last start; a stopped one is named', async (t) => {
  const dir = copyFixture('wsgi-hello', join(makeTempDir(t), 'site'));
  const background = new Background(t, { dir });
  const missing = await background.run('logs');
  assert.deepEqual([missing.code, missing.stdout], [8, '']);

  await background.start();
  const first = (await background.run('logs')).stdout.trimEnd().split('\n');
  await background.run('stop');
  const ended = await background.run('logs', '-n', '1');
  assert.equal(ended.code, 0);
  assert.match(ended.stdout, /^\{.*"event":"stopped".*\}\n$/);
  assert.match(
    ended.stderr,
    /No instance is running for .*\. These are the last lines of .*easyserve\.log\./,
  );

  const { stdout } = await background.start();
  const lines = (await background.run('logs')).stdout.trimEnd().split('\n');
  assert.deepEqual(lines.slice(0, first.length), first);
  assert.equal(lines.filter((line) => line.includes('"event":"ready"')).length, 2);
  const last = (await background.run('logs', '-n', '2')).stdout.trimEnd().split('\n');
  assert.deepEqual(last, lines.slice(-2));

  const pid = Number(/^ {2}process +(\d+)$/m.exec(stdout)?.[1]);
  process.kill(pid, 'SIGSTOP');
  const stopped = await background.run('status');
  process.kill(pid, 'SIGCONT');
  assert.equal(stopped.code, 1);
  assert.match(
    stopped.stderr,
    new RegExp(`The instance \\(process ${pid}\\) is stopped, by Ctrl-Z or SIGSTOP`),
  );
  assert.match(stopped.stderr, new RegExp(`kill -CONT ${pid}`));
  assert.equal((await background.run('stop')).code, 0);
});

import assert from 'node:assert/strict';
import { readFileSync, statSync, watch, writeFileSync } from 'node:fs';
import { test } from 'node:test';
import { runCommandLine } from '../../../../src/cli/run-command.js';
import { ExitCode } from '../../../../src/contracts/errors.js';
import { stateFolderOf } from '../../../../src/control/state-folder.js';
import { makeTempDir } from '../../../support/copy-fixture.js';
import { isAlive } from '../../../support/processes.js';
import { withDeadline } from '../../../support/with-deadline.js';
import { makeContext } from '../recording-context.js';

function daemonArguments(mode: string): string[] {
  return ['start', '--daemon', '--port', '8000', '--set', `healthPath=${mode}`];
}

test('a daemon that serves is left alone, and named', async (t) => {
  const project = makeTempDir(t);
  writeFileSync(`${project}/a.toml`, '');
  const context = makeContext(project);
  const exitCode = await runCommandLine([...daemonArguments('/ready'), '--config', 'a.toml'], context);
  const { logFile } = await stateFolderOf(project);
  const pid = Number(/process {2}(\d+)/.exec(context.stdout.text)?.[1]);
  t.after(() => process.kill(pid, 'SIGKILL'));
  assert.equal(exitCode, ExitCode.ok, context.stderr.text);
  assert.equal(
    context.stdout.text,
    `easyserve serves in the background.\n  url      http://127.0.0.1:8000\n  process  ${pid}\n  log      ${logFile}\n  stop     node ${context.exec.script} stop\n`,
  );
  assert.ok(isAlive(pid));
  assert.equal(statSync(logFile).mode & 0o777, 0o600);
  const log = readFileSync(logFile, 'utf8');
  assert.match(log, /a line on stderr/);
  const called = JSON.parse(/^called with (.*)$/m.exec(log)?.[1] ?? '');
  assert.deepEqual(called, [
    'start',
    project,
    '--ready-fd',
    '3',
    '--port=8000',
    '--set=healthPath=/ready',
    '--config',
    `${project}/a.toml`,
  ]);
  assert.deepEqual(context.signals.eventNames(), []);
});

test('the error of a daemon that fails is printed here, and its exit code is ours', async (t) => {
  const context = makeContext(makeTempDir(t));
  assert.equal(await runCommandLine(daemonArguments('/error'), context), ExitCode.application);
  assert.equal(context.stderr.text, 'easyserve: No application was found.\n  fix: look\n');
  assert.equal(context.stdout.text, '');
});

test('of a daemon that dies without a word the end of its log is shown', async (t) => {
  const project = makeTempDir(t);
  const { logFile } = await stateFolderOf(project);
  writeFileSync(logFile, 'of an earlier run\n');
  const context = makeContext(project);
  assert.equal(await runCommandLine(daemonArguments('/9'), context), 9);
  const { text } = context.stderr;
  assert.match(
    text,
    /^easyserve: The instance ended with exit code 9 before it served\.\n {2}called with .*\n {2}a line on stderr\n/,
  );
  assert.ok(text.includes(`fix: the whole log: ${logFile}`));
  assert.doesNotMatch(text, /of an earlier run/);
});

test('a daemon that ends well before it serves has failed all the same', async (t) => {
  assert.equal(
    await runCommandLine(daemonArguments('/0'), makeContext(makeTempDir(t))),
    ExitCode.startFailed,
  );
});

test('Ctrl-C while it starts ends the daemon too', async (t) => {
  const project = makeTempDir(t);
  const { path, logFile } = await stateFolderOf(project);
  const context = makeContext(project);
  writeFileSync(logFile, '');
  const hanging = new Promise<void>((resolve) => {
    const watcher = watch(path, () => {
      if (!readFileSync(logFile, 'utf8').includes('hanging')) return;
      watcher.close();
      resolve();
    });
  });
  const running = runCommandLine(daemonArguments('/hang'), context);
  await withDeadline(hanging, 20_000, () => 'the daemon did not start');
  context.signals.emit('SIGINT');
  assert.equal(await running, ExitCode.forced);
  assert.match(readFileSync(logFile, 'utf8'), /told to end/);
});

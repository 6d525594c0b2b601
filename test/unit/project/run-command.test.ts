import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { type CommandRequest, runCommand } from '../../../src/project/run-command.js';
import { makeTempDir } from '../../support/copy-fixture.js';
import { eventually } from '../../support/eventually.js';
import { isAlive } from '../../support/processes.js';

function shell(script: string, more: Partial<CommandRequest> = {}): CommandRequest {
  return {
    command: '/bin/sh',
    args: ['-c', script],
    cwd: '/',
    env: { PATH: process.env.PATH, GIVEN: 'from the caller' },
    timeoutMs: 20_000,
    ...more,
  };
}

test('tells exit code, output and answer apart', async () => {
  const result = await runCommand(
    shell('echo out; echo err >&2; echo answer >&3; exit 3', { hasAnswer: true }),
  );
  const { code, signal, isTimedOut, stdout, answer } = result;
  assert.deepEqual(
    { code, signal, isTimedOut, stdout, answer },
    { code: 3, signal: null, isTimedOut: false, stdout: 'out', answer: 'answer\n' },
  );
  assert.deepEqual(result.output.split('\n').sort(), ['err', 'out']);
});

test('gives the environment and the folder that it was given, and nothing else', async () => {
  const result = await runCommand(shell('pwd; echo "$GIVEN"; echo "[$HOME]"', { cwd: '/usr' }));
  assert.equal(result.stdout, '/usr\nfrom the caller\n[]');
});

test('keeps the end of an output that has no end', async () => {
  const result = await runCommand(shell('head -c 1000000 /dev/zero | tr "\\0" x; echo last'));
  assert.equal(result.stdout.slice(-6), 'xxlast');
  assert.ok(result.stdout.length <= 64 * 1024);
});

test('keeps the whole of a long answer', async () => {
  const result = await runCommand(shell('head -c 1000000 /dev/zero | tr "\\0" x >&3', { hasAnswer: true }));
  assert.equal(result.answer.length, 1_000_000);
});

test('kills at the deadline, also what ignores SIGTERM', async () => {
  const result = await runCommand(shell('trap "" TERM; echo on; read x < /dev/zero', { timeoutMs: 300 }));
  assert.deepEqual(
    { isTimedOut: result.isTimedOut, signal: result.signal, stdout: result.stdout },
    { isTimedOut: true, signal: 'SIGKILL', stdout: 'on' },
  );
  assert.ok(result.durationMs >= 300);
});

test('leaves no process of the group behind', async () => {
  const { stdout } = await runCommand(shell('sleep 1000 & echo $!'));
  await eventually(() => assert.equal(isAlive(Number(stdout)), false));
});

test('does not wait for a process that left the group and holds the pipes', async (t) => {
  const file = join(makeTempDir(t), 'pid');
  const { durationMs, code } = await runCommand(
    shell(
      `setsid sh -c 'echo $$ > ${file}; exec sleep 1000' & wait_for() { until [ -s ${file} ]; do :; done; }; wait_for`,
    ),
  );
  const pid = Number(readFileSync(file, 'utf8'));
  t.after(() => process.kill(pid, 'SIGKILL'));
  assert.equal(code, 0);
  assert.ok(durationMs < 20_000);
  assert.equal(isAlive(pid), true);
});

test('does not wait for what goes on after the answer', async () => {
  const result = await runCommand(shell('echo answer >&3; exec 3>&-; sleep 1000', { hasAnswer: true }));
  assert.deepEqual(
    { answer: result.answer, signal: result.signal, isTimedOut: result.isTimedOut },
    { answer: 'answer\n', signal: 'SIGKILL', isTimedOut: false },
  );
});

test('an abort kills the group and rejects with its reason', async (t) => {
  const file = join(makeTempDir(t), 'pid');
  const controller = new AbortController();
  const running = runCommand(shell(`echo $$ > ${file}; sleep 1000`, { signal: controller.signal }));
  const pid = await eventually(() => {
    const text = readFileSync(file, 'utf8');
    assert.match(text, /\d\n/);
    return Number(text);
  });
  controller.abort(new Error('stop'));
  await assert.rejects(running, /^Error: stop$/);
  assert.equal(isAlive(pid), false);
});

test('an abort beforehand starts nothing', async () => {
  await assert.rejects(runCommand(shell('exit 0', { signal: AbortSignal.abort(new Error('stop')) })), /stop/);
});

test('a command that does not exist rejects', async () => {
  await assert.rejects(runCommand(shell('', { command: '/nowhere/to/be/found' })), { code: 'ENOENT' });
});

test('a command that SIGUSR1 or SIGUSR2 has ended runs again', async (t) => {
  const file = join(makeTempDir(t), 'runs');
  const kills = `echo >> ${file}; case $(wc -l < ${file}) in 1) kill -USR1 $$;; 2) kill -USR2 $$;; esac; echo done`;
  assert.equal((await runCommand(shell(kills))).stdout, 'done');
  assert.equal(readFileSync(file, 'utf8'), '\n\n\n');
});

import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { text } from 'node:stream/consumers';
import { type TestContext, test } from 'node:test';
import { ProcessGroup } from '../../../../src/app/process/process-group.js';
import type { LaunchPlan } from '../../../../src/app/servers/application-server.js';
import { CommandServer } from '../../../../src/app/servers/command-server.js';
import { eventually } from '../../../support/eventually.js';
import { makeRelease } from '../../../support/make-release.js';
import { isAlive, killGroup } from '../../../support/processes.js';

/** Ends a second after SIGTERM, when it has said so. */
const slow = `
process.on('SIGTERM', () => {
  require('node:child_process').execSync('sleep 1');
  console.log('saved');
  process.exit();
});
require('node:net').createServer().listen(0, '127.0.0.1', () => console.log('ready'));
`;

function plan(command: string): LaunchPlan {
  const project = {
    kind: 'command',
    server: 'command',
    root: '/',
    application: command,
    warnings: [],
  } as const;
  const env = { PATH: process.env.PATH, NODE: process.execPath, SLOW: slow };
  return new CommandServer(env, 'linux', () => 4711).plan(makeRelease({ project }), '/nowhere');
}

async function start(
  t: TestContext,
  launch: LaunchPlan,
): Promise<{ group: ProcessGroup; said: Promise<string> }> {
  const group = new ProcessGroup(launch, spawn, process.kill.bind(process));
  t.after(() => killGroup(group.pid, 'SIGKILL'));
  const { stdout } = group;
  assert.ok(stdout);
  const ready = new Promise((resolve) => stdout.once('data', resolve));
  const said = text(stdout);
  await ready;
  return { group, said };
}

for (const command of [
  '"$NODE" -e "$SLOW"',
  'cd / && "$NODE" -e "$SLOW"',
  'sh -c \'sh -c "\\"\\$NODE\\" -e \\"\\$SLOW\\""; true\'; true', // as npm does it
  '"$NODE" -e "$SLOW" & wait',
]) {
  test(`a program has the time to end, although the shell before it ends at once: ${command}`, async (t) => {
    const { group, said } = await start(t, plan(command));
    group.signal('SIGTERM');
    await group.ended;
    // Only the watcher is left, and holds no output open.
    assert.equal(await said, 'ready\nsaved\n');
    group.signal('SIGKILL');
  });
}

test('a child of an application has it too', async (t) => {
  const child = `trap "sleep 1; echo saved; exit" TERM; echo ready; while :; do sleep 0.1; done`;
  const { group, said } = await start(t, { ...plan(''), args: ['-c', `sh -c '${child}' & wait`] });
  group.signal('SIGTERM');
  await group.ended;
  assert.equal(await said, 'ready\nsaved\n');
});

test('a process that has ended, and that its parent has not asked about, is waited for by nobody', async (t) => {
  // The parent leaves the group, and goes on until descriptor 3 ends.
  const parent = `
import os, sys, time
if os.fork() == 0:
    print("ready", flush=True)
    time.sleep(1000)
os.setsid()
os.close(1)
os.close(2)
os.read(3, 1)
`;
  const { group, said } = await start(t, { ...plan(''), args: ['-c', `python3 -c '${parent}' & wait`] });
  t.after(() => group.control?.destroy());
  group.signal('SIGTERM');
  await group.ended;
  assert.equal(await said, 'ready\n');
});

test('who stays is waited for until SIGKILL', async (t) => {
  const stays = `trap "" TERM; echo ready; sleep 1000`;
  const { group } = await start(t, { ...plan(''), args: ['-c', `sh -c '${stays}' & wait`] });
  group.signal('SIGTERM');
  let hasEnded = false;
  void group.ended.then(() => {
    hasEnded = true;
  });
  await eventually(() => assert.equal(isAlive(group.pid), false));
  assert.equal(hasEnded, false);
  group.signal('SIGKILL');
  await group.ended;
});

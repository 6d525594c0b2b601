import assert from 'node:assert/strict';
import { test } from 'node:test';
import { OutOfMemoryKills } from '../../../../src/app/process/out-of-memory.js';
import { FakeClock } from '../../../support/fake-clock.js';

const v2 = { '/proc/self/cgroup': '0::/system.slice/site.service\n' };
const counter = '/sys/fs/cgroup/system.slice/site.service/memory.events';

test('a kill that has just been counted in our control group is one', async () => {
  const { files, clock, kills } = makeKills({ ...v2, [counter]: 'oom 3\noom_kill 3\n' });
  await kills.observe();
  assert.equal(await kills.hasJustKilled(), false, 'those before the start do not count');
  files[counter] = 'oom 4\noom_kill 4\n';
  assert.equal(await kills.hasJustKilled(), true);
  clock.advance(4_000);
  assert.equal(await kills.hasJustKilled(), true, 'its end may be seen late');
  clock.advance(2_000);
  assert.equal(await kills.hasJustKilled(), false);
});

test('a kill in the first second, before anybody has looked, is counted', async () => {
  const { files, kills } = makeKills({ ...v2, [counter]: 'oom_kill 3\n' });
  await new Promise(setImmediate); // it has looked by itself
  files[counter] = 'oom_kill 4\n';
  assert.equal(await kills.hasJustKilled(), true);
});

test('a kill elsewhere on the machine is none of ours', async () => {
  const vmstat = '/proc/vmstat';
  const { files, kills } = makeKills({ ...v2, [counter]: 'oom_kill 0\n', [vmstat]: 'oom_kill 0\n' });
  await kills.observe();
  files[vmstat] = 'oom_kill 1\n';
  assert.equal(await kills.hasJustKilled(), false);
});

for (const [where, files, path] of [
  [
    'control groups of version 1',
    { '/proc/self/cgroup': '4:memory:/site\n0::/\n' },
    '/sys/fs/cgroup/memory/site/memory.oom_control',
  ],
  ['a container', { '/proc/self/cgroup': '0::/\n' }, '/sys/fs/cgroup/memory.events'],
  ['a machine without control groups', {}, '/proc/vmstat'],
] as const) {
  test(`it is counted in ${where}`, async () => {
    const world = makeKills({ ...files, [path]: 'oom_kill 0\n' });
    await world.kills.observe();
    world.files[path] = 'oom_kill 1\n';
    assert.equal(await world.kills.hasJustKilled(), true);
  });
}

test('where nothing tells, none was', async () => {
  assert.equal(await makeKills({}).kills.hasJustKilled(), false);
});

function makeKills(files: Record<string, string>) {
  const clock = new FakeClock();
  const kills = new OutOfMemoryKills(clock, async (path) => files[path] ?? assert.fail('ENOENT'));
  return { files, clock, kills };
}

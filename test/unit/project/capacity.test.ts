import assert from 'node:assert/strict';
import { test } from 'node:test';
import { type Capacity, readCapacity, type SystemFacts } from '../../../src/project/capacity.js';

const gibibyte = 1024 ** 3;

const linux: SystemFacts = {
  platform: 'linux',
  machineCores: 8,
  availableParallelism: 8,
  totalMemoryBytes: 16 * gibibyte,
};

/** mountinfo of systems with v2 alone, with v1 alone, and of a container that sees only its own group of v1. */
const v2Mount = '30 23 0:26 / /sys/fs/cgroup rw,nosuid shared:4 - cgroup2 cgroup2 rw,nsdelegate\n';
const v1Mounts = [
  '31 23 0:28 / /sys/fs/cgroup rw - tmpfs tmpfs rw,mode=755',
  '32 31 0:29 / /sys/fs/cgroup/cpu,cpuacct rw shared:9 - cgroup cgroup rw,cpu,cpuacct',
  '33 31 0:30 / /sys/fs/cgroup/memory rw - cgroup cgroup rw,memory',
].join('\n');
const containerMounts = [
  '32 31 0:29 /docker/abc /sys/fs/cgroup/cpu\\040acct ro - cgroup cgroup rw,cpu,cpuacct',
  '33 31 0:30 /docker/abc /sys/fs/cgroup/memory ro - cgroup cgroup rw,memory',
].join('\n');

function capacityOf(files: Readonly<Record<string, string>>, system: Partial<SystemFacts> = {}): Capacity {
  return readCapacity((path) => files[path], { ...linux, ...system });
}

test('without any limit it is all of the machine', () => {
  assert.deepEqual(capacityOf({ '/proc/self/mountinfo': v2Mount, '/proc/self/cgroup': '0::/\n' }), {
    cores: 8,
    rule: 'all of the machine',
    memoryLimitBytes: 16 * gibibyte,
    memoryRule: 'all of the machine',
  });
});

test('v2: a fractional quota and a memory limit', () => {
  const capacity = capacityOf({
    '/proc/self/mountinfo': v2Mount,
    '/proc/self/cgroup': '0::/\n',
    '/sys/fs/cgroup/cpu.max': '250000 100000\n',
    '/sys/fs/cgroup/memory.max': '536870912\n',
  });
  assert.deepEqual(capacity, {
    cores: 2.5,
    rule: 'cgroup v2 CPU quota',
    memoryLimitBytes: gibibyte / 2,
    memoryRule: 'cgroup v2 memory limit',
  });
});

test('v2: less than one core', () => {
  const { cores } = capacityOf({
    '/proc/self/mountinfo': v2Mount,
    '/proc/self/cgroup': '0::/app\n',
    '/sys/fs/cgroup/app/cpu.max': '25000 100000\n',
  });
  assert.equal(cores, 0.25);
});

test('v2: the smallest limit of the own group and its parents holds', () => {
  const capacity = capacityOf({
    '/proc/self/mountinfo': v2Mount,
    '/proc/self/cgroup': '0::/system.slice/easyserve.service/inner\n',
    '/sys/fs/cgroup/cpu.max': 'max 100000\n',
    '/sys/fs/cgroup/system.slice/cpu.max': '150000 100000\n',
    '/sys/fs/cgroup/system.slice/easyserve.service/cpu.max': '300000 100000\n',
    '/sys/fs/cgroup/system.slice/easyserve.service/inner/cpu.max': 'max 100000\n',
    '/sys/fs/cgroup/system.slice/easyserve.service/memory.max': `${2 * gibibyte}\n`,
    '/sys/fs/cgroup/system.slice/easyserve.service/memory.high': `${gibibyte}\n`,
    '/sys/fs/cgroup/system.slice/easyserve.service/inner/memory.max': 'max\n',
  });
  assert.equal(capacity.cores, 1.5);
  assert.equal(capacity.memoryLimitBytes, gibibyte);
});

test('v2: "max" and a quota above the machine are no limits', () => {
  const files = { '/proc/self/mountinfo': v2Mount, '/proc/self/cgroup': '0::/\n' };
  for (const quota of ['max 100000\n', '1600000 100000\n', '']) {
    const { cores, rule } = capacityOf({ ...files, '/sys/fs/cgroup/cpu.max': quota });
    assert.deepEqual({ cores, rule }, { cores: 8, rule: 'all of the machine' });
  }
});

test('v1: quota and memory limit of a nested group', () => {
  const capacity = capacityOf({
    '/proc/self/mountinfo': v1Mounts,
    '/proc/self/cgroup': '5:memory:/user/app\n4:cpu,cpuacct:/user/app\n1:name=systemd:/\n',
    '/sys/fs/cgroup/cpu,cpuacct/cpu.cfs_quota_us': '-1\n',
    '/sys/fs/cgroup/cpu,cpuacct/cpu.cfs_period_us': '100000\n',
    '/sys/fs/cgroup/cpu,cpuacct/user/app/cpu.cfs_quota_us': '75000\n',
    '/sys/fs/cgroup/cpu,cpuacct/user/app/cpu.cfs_period_us': '50000\n',
    '/sys/fs/cgroup/memory/memory.limit_in_bytes': '9223372036854771712\n',
    '/sys/fs/cgroup/memory/user/memory.limit_in_bytes': `${3 * gibibyte}\n`,
    '/sys/fs/cgroup/memory/user/app/memory.limit_in_bytes': '9223372036854771712\n',
  });
  assert.deepEqual(capacity, {
    cores: 1.5,
    rule: 'cgroup v1 CPU quota',
    memoryLimitBytes: 3 * gibibyte,
    memoryRule: 'cgroup v1 memory limit',
  });
});

test('v1 in a container: the mount stands for the group that the host calls /docker/abc', () => {
  const capacity = capacityOf({
    '/proc/self/mountinfo': containerMounts,
    '/proc/self/cgroup': '5:memory:/docker/abc\n4:cpu,cpuacct:/docker/abc/inner\n',
    '/sys/fs/cgroup/cpu acct/cpu.cfs_quota_us': '200000\n',
    '/sys/fs/cgroup/cpu acct/cpu.cfs_period_us': '100000\n',
    '/sys/fs/cgroup/cpu acct/inner/cpu.cfs_quota_us': '100000\n',
    '/sys/fs/cgroup/cpu acct/inner/cpu.cfs_period_us': '100000\n',
    '/sys/fs/cgroup/memory/memory.limit_in_bytes': `${gibibyte}\n`,
  });
  assert.equal(capacity.cores, 1);
  assert.equal(capacity.memoryLimitBytes, gibibyte);
});

test('a group outside of what is mounted is read at the mount', () => {
  const { cores } = capacityOf({
    '/proc/self/mountinfo': v2Mount,
    '/proc/self/cgroup': '0::/../../elsewhere\n',
    '/sys/fs/cgroup/cpu.max': '200000 100000\n',
  });
  assert.equal(cores, 2);
});

test('v1 and v2 side by side: each is read where its controller is', () => {
  const { cores, rule } = capacityOf({
    '/proc/self/mountinfo': `${v1Mounts}\n41 31 0:38 / /sys/fs/cgroup/unified rw - cgroup2 cgroup2 rw\n`,
    '/proc/self/cgroup': '4:cpu,cpuacct:/a\n0::/\n',
    '/sys/fs/cgroup/cpu,cpuacct/a/cpu.cfs_quota_us': '300000\n',
    '/sys/fs/cgroup/cpu,cpuacct/a/cpu.cfs_period_us': '100000\n',
  });
  assert.deepEqual({ cores, rule }, { cores: 3, rule: 'cgroup v1 CPU quota' });
});

test('the affinity counts, with ranges and single numbers', () => {
  const { cores, rule } = capacityOf({ '/proc/self/status': 'Name:\tnode\nCpus_allowed_list:\t0-2,5\n' });
  assert.deepEqual({ cores, rule }, { cores: 4, rule: 'CPU affinity' });
});

test('a rounded number from Node does not hide the exact quota', () => {
  const { cores } = capacityOf(
    {
      '/proc/self/status': 'Cpus_allowed_list:\t0-7\n',
      '/proc/self/mountinfo': v2Mount,
      '/proc/self/cgroup': '0::/\n',
      '/sys/fs/cgroup/cpu.max': '250000 100000\n',
    },
    { availableParallelism: 2 },
  );
  assert.equal(cores, 2.5);
});

test('the memory of the machine is a limit below what Node reports', () => {
  const { memoryLimitBytes } = capacityOf({ '/proc/meminfo': 'MemFree: 1 kB\nMemTotal:       1048576 kB\n' });
  assert.equal(memoryLimitBytes, gibibyte);
});

test('other systems: what Node knows, also where it hides the cores of the machine', () => {
  const files = { '/proc/self/status': 'Cpus_allowed_list:\t0\n' };
  assert.deepEqual(capacityOf(files, { platform: 'darwin', availableParallelism: 6 }), {
    cores: 6,
    rule: 'usable by this process',
    memoryLimitBytes: 16 * gibibyte,
    memoryRule: 'all of the machine',
  });
  assert.equal(capacityOf(files, { platform: 'darwin', machineCores: 0 }).cores, 8);
});

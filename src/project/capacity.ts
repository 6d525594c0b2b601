import { type CgroupHierarchy, listCgroups, type ReadFile } from './cgroup.js';

/** What this process may use, which in a container is less than what the machine has. */
export interface Capacity {
  /** May be fractional: a quota of half a core is 0.5. */
  readonly cores: number;
  /** What decided `cores`, to follow a number in a log line: `cgroup v2 CPU quota`. */
  readonly rule: string;
  readonly memoryLimitBytes: number;
  /** What decided `memoryLimitBytes`: `cgroup v1 memory limit`. */
  readonly memoryRule: string;
}

/** What Node knows; all that is known where there is no /proc. */
export interface SystemFacts {
  readonly platform: NodeJS.Platform;
  /** os.cpus().length */
  readonly machineCores: number;
  /** os.availableParallelism(): knows the affinity, and in newer versions of libuv a quota, rounded. */
  readonly availableParallelism: number;
  /** os.totalmem() */
  readonly totalMemoryBytes: number;
}

interface Limit {
  readonly value: number;
  readonly rule: string;
}

/** Takes the smallest of all limits. */
export function readCapacity(readFile: ReadFile, system: SystemFacts): Capacity {
  const isLinux = system.platform === 'linux';
  const usable = { value: system.availableParallelism, rule: 'usable by this process' };
  const cores = smallest([
    // os.cpus() is empty where the system hides them (Node doc, os.availableParallelism).
    { value: system.machineCores || usable.value, rule: 'all of the machine' },
    ...(isLinux ? [readAffinity(readFile) ?? usable, ...readQuotas(readFile)] : [usable]),
  ]);
  const memory = smallest([
    { value: system.totalMemoryBytes, rule: 'all of the machine' },
    ...(isLinux ? [...readTotalMemory(readFile), ...readMemoryLimits(readFile)] : []),
  ]);
  return {
    cores: cores.value,
    rule: cores.rule,
    memoryLimitBytes: memory.value,
    memoryRule: memory.rule,
  };
}

/** The first of equals, so that the plainest rule is named. */
function smallest(limits: readonly [Limit, ...Limit[]]): Limit {
  return limits.reduce((least, limit) => (limit.value < least.value ? limit : least));
}

/** `Cpus_allowed_list: 0-3,8` of proc_pid_status(5); cpusets and taskset both show here. */
function readAffinity(readFile: ReadFile): Limit | undefined {
  const list = /^Cpus_allowed_list:\s*(\S+)$/m.exec(readFile('/proc/self/status') ?? '')?.[1];
  if (list === undefined) return undefined;
  let value = 0;
  for (const range of list.split(',')) {
    const [first, last = first] = range.split('-').map(Number);
    if (first !== undefined && last !== undefined) value += last - first + 1;
  }
  return value > 0 ? { value, rule: 'CPU affinity' } : undefined;
}

function readQuotas(readFile: ReadFile): Limit[] {
  return readLimits(readFile, 'cpu', 'CPU quota', (folder, version) =>
    version === 2
      ? [divide(...split(readFile(`${folder}/cpu.max`)))]
      : [divide(readFile(`${folder}/cpu.cfs_quota_us`), readFile(`${folder}/cpu.cfs_period_us`))],
  );
}

/** cpu.max is `200000 100000` or `max 100000` (cgroup-v2.rst, "CPU Interface Files"). */
function split(text: string | undefined): [string | undefined, string | undefined] {
  const [quota, period] = text?.trim().split(' ') ?? [];
  return [quota, period];
}

/** -1 and `max` are no quota. */
function divide(quota: string | undefined, period: string | undefined): number | undefined {
  const cores = Number(quota) / Number(period);
  return cores > 0 && Number.isFinite(cores) ? cores : undefined;
}

function readMemoryLimits(readFile: ReadFile): Limit[] {
  return readLimits(readFile, 'memory', 'memory limit', (folder, version) =>
    version === 2
      ? [toBytes(readFile(`${folder}/memory.max`)), toBytes(readFile(`${folder}/memory.high`))]
      : [toBytes(readFile(`${folder}/memory.limit_in_bytes`))],
  );
}

/** `max` is no limit; v1 writes a number far above any memory instead, which is never the smallest. */
function toBytes(text: string | undefined): number | undefined {
  const bytes = Number.parseInt(text ?? '', 10);
  return bytes > 0 ? bytes : undefined;
}

function readLimits(
  readFile: ReadFile,
  controller: 'cpu' | 'memory',
  name: string,
  read: (folder: string, version: CgroupHierarchy['version']) => (number | undefined)[],
): Limit[] {
  const limits: Limit[] = [];
  for (const { version, folders } of listCgroups(readFile, controller)) {
    for (const value of folders.flatMap((folder) => read(folder, version))) {
      if (value !== undefined) limits.push({ value, rule: `cgroup v${version} ${name}` });
    }
  }
  return limits;
}

function readTotalMemory(readFile: ReadFile): Limit[] {
  const kibibytes = /^MemTotal:\s*(\d+) kB$/m.exec(readFile('/proc/meminfo') ?? '')?.[1];
  return kibibytes === undefined ? [] : [{ value: Number(kibibytes) * 1024, rule: 'all of the machine' }];
}

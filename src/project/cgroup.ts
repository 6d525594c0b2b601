import { posix } from 'node:path';

/** Reads a whole text file; undefined where it is missing or unreadable. */
export type ReadFile = (path: string) => string | undefined;

/** One hierarchy of control groups that this process is in, as far as it can be seen from here. */
export interface CgroupHierarchy {
  readonly version: 1 | 2;
  /** Own group first, then its parents; a limit of any of them holds. */
  readonly folders: readonly string[];
}

type Controller = 'cpu' | 'memory';

interface Mount {
  /** Which group of the hierarchy stands at `point`: `/docker/…` in containers without a cgroup namespace. */
  readonly root: string;
  readonly point: string;
  readonly type: string;
  readonly options: readonly string[];
}

/**
 * The hierarchies that may limit `controller`: v2, and v1 where that controller is still mounted there (cgroups(7)).
 *
 * Where a group of /proc/self/cgroup isn't below the mount, the mount itself is the group.
 */
export function listCgroups(readFile: ReadFile, controller: Controller): CgroupHierarchy[] {
  const mounts = parseMounts(readFile('/proc/self/mountinfo') ?? '');
  const groups = parseGroups(readFile('/proc/self/cgroup') ?? '');
  const hierarchies: CgroupHierarchy[] = [];
  for (const mount of mounts) {
    if (mount.type === 'cgroup2') {
      hierarchies.push({ version: 2, folders: foldersOf(mount, groups.get('')) });
    } else if (mount.type === 'cgroup' && mount.options.includes(controller)) {
      hierarchies.push({ version: 1, folders: foldersOf(mount, groups.get(controller)) });
    }
  }
  return hierarchies;
}

/** Lines of `36 35 0:30 /root /point options - type source superOptions` (proc_pid_mountinfo(5)). */
function parseMounts(text: string): Mount[] {
  const mounts: Mount[] = [];
  for (const line of text.split('\n')) {
    const [before = '', after] = line.split(' - ');
    const [, , , root, point] = before.split(' ');
    const [type, , options] = after?.split(' ') ?? [];
    if (root === undefined || point === undefined || type === undefined) continue;
    mounts.push({
      root: decodeOctal(root),
      point: decodeOctal(point),
      type,
      options: options?.split(',') ?? [],
    });
  }
  return mounts;
}

/** Spaces and the like are written as \040. */
function decodeOctal(path: string): string {
  return path.replace(/\\([0-7]{3})/g, (_, octal: string) => String.fromCharCode(Number.parseInt(octal, 8)));
}

/** Lines of `4:cpu,cpuacct:/group`; v2 has no controllers there, so its key is ''. */
function parseGroups(text: string): Map<string, string> {
  const groups = new Map<string, string>();
  for (const line of text.split('\n')) {
    const [, controllers, group] = /^\d+:([^:]*):(.*)$/.exec(line) ?? [];
    if (controllers === undefined || group === undefined) continue;
    for (const controller of controllers.split(',')) groups.set(controller, group);
  }
  return groups;
}

function foldersOf(mount: Mount, group: string | undefined): string[] {
  const below = group === undefined ? '..' : posix.relative(mount.root, group);
  const parts = below === '' || below.startsWith('..') ? [] : below.split('/');
  return [...parts.keys(), parts.length]
    .reverse()
    .map((count) => posix.join(mount.point, ...parts.slice(0, count)));
}

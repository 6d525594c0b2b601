import { readdirSync, readFileSync } from 'node:fs';

/**
 * Processes as /proc tells of them (Linux, proc(5)). Used by startEasyserve for its search for orphans, and by tests that
 * kill, freeze or weigh a process. Everything goes by process id; nothing is ever found by name.
 */
export interface ProcessStat {
  readonly pid: number;
  readonly parent: number;
  readonly group: number;
  /** `R`, `S`, `D`, `T` (frozen), `Z` (dead, not yet reaped)… */
  readonly state: string;
}

/** Undefined when there is no such process. */
export function statOf(pid: number): ProcessStat | undefined {
  const line = readIfThere(`/proc/${pid}/stat`);
  if (line === undefined) return undefined;
  // The second field is the name in brackets, which may itself hold spaces and brackets.
  const [state = '?', parent, group] = line.slice(line.lastIndexOf(')') + 2).split(' ');
  return { pid, parent: Number(parent), group: Number(group), state };
}

/** Whether the process runs; a zombie does not. */
export function isAlive(pid: number): boolean {
  const stat = statOf(pid);
  return stat !== undefined && stat.state !== 'Z';
}

/** Children, their children, and so on; zombies left out. */
export function descendantsOf(pid: number): number[] {
  const alive = allProcesses().filter((stat) => stat.state !== 'Z');
  const found: number[] = [];
  const parents = [pid];
  for (let parent = parents.shift(); parent !== undefined; parent = parents.shift()) {
    for (const stat of alive) {
      if (stat.parent !== parent) continue;
      found.push(stat.pid);
      parents.push(stat.pid);
    }
  }
  return found;
}

/** Every living process that was started with this environment variable, or inherited it. */
export function processesWithEnvironment(name: string, value: string): number[] {
  const entry = `${name}=${value}`;
  return allProcesses()
    .filter((stat) => stat.state !== 'Z')
    .map((stat) => stat.pid)
    .filter((pid) => readIfThere(`/proc/${pid}/environ`)?.split('\0').includes(entry));
}

/** For messages: the pid and its command line. */
export function describeProcess(pid: number): string {
  const command = readIfThere(`/proc/${pid}/cmdline`)?.replaceAll('\0', ' ').trim();
  return `${pid} ${command || '(gone)'}`;
}

/** Resident memory. Throws when there is no such process. */
export function rssBytes(pid: number): number {
  const kilobytes = readFileSync(`/proc/${pid}/status`, 'utf8').match(/^VmRSS:\s+(\d+) kB$/m)?.[1];
  if (kilobytes === undefined) throw new Error(`process ${pid} has no resident memory: it has ended`);
  return Number(kilobytes) * 1024;
}

/** Open file descriptors. Throws when there is no such process. */
export function openFiles(pid: number): number {
  return readdirSync(`/proc/${pid}/fd`).length;
}

/** False when the process was gone already. */
export function killProcess(pid: number, signal: NodeJS.Signals): boolean {
  return send(pid, signal);
}

/** Sends to every process of a group; false when the group was empty already. */
export function killGroup(group: number, signal: NodeJS.Signals): boolean {
  return send(-group, signal);
}

function send(target: number, signal: NodeJS.Signals): boolean {
  // kill(2) gives -1 and 0 meanings that no test ever wants: "everything", and "my own group".
  if (!Number.isInteger(target) || Math.abs(target) <= 1) throw new Error(`refusing to signal ${target}`);
  try {
    process.kill(target, signal);
    return true;
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ESRCH') return false;
    throw error;
  }
}

function allProcesses(): ProcessStat[] {
  return readdirSync('/proc')
    .filter((name) => /^\d+$/.test(name))
    .map((name) => statOf(Number(name)))
    .filter((stat) => stat !== undefined);
}

/** Undefined when the process ended, or belongs to somebody else. */
function readIfThere(path: string): string | undefined {
  try {
    return readFileSync(path, 'utf8');
  } catch (error) {
    const code = (error as NodeJS.ErrnoException).code ?? '';
    if (['ENOENT', 'ESRCH', 'EACCES', 'EPERM'].includes(code)) return undefined;
    throw error;
  }
}

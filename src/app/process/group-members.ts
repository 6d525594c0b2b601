import { readdir, readFile } from 'node:fs/promises';

/** The name that the watcher of a command gives itself (app/servers/command-server); at most 15 characters (prctl(2), PR_SET_NAME). */
export const WATCHER_NAME = 'easyserve-watch';

export interface GroupMember {
  readonly pid: string;
  readonly name: string;
  /** One letter (proc_pid_stat(5)): R, S, Z, … */
  readonly state: string;
}

/** The processes of a group; none where the system has no /proc. */
export async function* listGroup(group: number, proc = '/proc'): AsyncGenerator<GroupMember> {
  const names = await readdir(proc).catch(() => []);
  for (const pid of names.filter((name) => /^\d+$/.test(name))) {
    const stat = await readFile(`${proc}/${pid}/stat`, 'latin1').catch(() => ''); // gone meanwhile
    // proc_pid_stat(5): the name stands in brackets and may hold some itself; then come state, parent and group.
    const nameEnd = stat.lastIndexOf(')');
    const [state = '', , groupOf] = stat.slice(nameEnd + 2).split(' ');
    if (groupOf === String(group)) yield { pid, name: stat.slice(stat.indexOf('(') + 1, nameEnd), state };
  }
}

/**
 * Whether a process of the group still runs. Neither a zombie counts, which may stay for ever in a container without an init, nor
 * the watcher of a command.
 */
export async function hasMembers(group: number): Promise<boolean> {
  for await (const { name, state } of listGroup(group)) {
    if (!/[ZX]/.test(state) && name !== WATCHER_NAME) return true;
  }
  return false;
}

import { readdir, readFile } from 'node:fs/promises';

/** The name that the watcher of a command gives itself (app/servers/command-server); at most 15 characters (prctl(2), PR_SET_NAME). */
export const WATCHER_NAME = 'easyserve-watch';

/**
 * Whether a process of the group still runs. Neither a zombie counts, which may stay for ever in a container without an init, nor
 * the watcher of a command. False where the system has no /proc.
 */
export async function hasMembers(group: number): Promise<boolean> {
  const names = await readdir('/proc').catch(() => []);
  for (const name of names) {
    if (/^\d+$/.test(name) && (await isMember(name, group))) return true;
  }
  return false;
}

// Private

async function isMember(pid: string, group: number): Promise<boolean> {
  const stat = await readFile(`/proc/${pid}/stat`, 'latin1').catch(() => ''); // gone meanwhile
  // proc_pid_stat(5): the name stands in brackets and may hold some itself; then come state, parent and group.
  const nameEnd = stat.lastIndexOf(')');
  const [state = '', , groupOf] = stat.slice(nameEnd + 2).split(' ');
  if (Number(groupOf) !== group || /[ZX]/.test(state)) return false;
  return stat.slice(stat.indexOf('(') + 1, nameEnd) !== WATCHER_NAME;
}

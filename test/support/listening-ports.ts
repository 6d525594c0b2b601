import { readdirSync, readFileSync, readlinkSync } from 'node:fs';

/** TCP ports that a process listens on, in any order, as /proc tells (Linux, proc(5)). */
export function listeningPorts(pid: number): number[] {
  const inodes = new Set<string>();
  for (const name of readdirSync(`/proc/${pid}/fd`)) {
    const inode = /^socket:\[(\d+)\]$/.exec(targetOf(`/proc/${pid}/fd/${name}`))?.[1];
    if (inode !== undefined) inodes.add(inode);
  }
  return ['tcp', 'tcp6'].flatMap((table) =>
    readFileSync(`/proc/${pid}/net/${table}`, 'utf8')
      .split('\n')
      .slice(1)
      .map((line) => line.trim().split(/\s+/))
      .filter(([, , , state, , , , , , inode]) => state === LISTEN && inodes.has(inode ?? ''))
      .map(([, address = '']) => Number.parseInt(address.slice(address.indexOf(':') + 1), 16)),
  );
}

/** TCP_LISTEN of the kernel's tcp_states.h. */
const LISTEN = '0A';

/** '' for a descriptor that was closed meanwhile. */
function targetOf(path: string): string {
  try {
    return readlinkSync(path);
  } catch {
    return '';
  }
}

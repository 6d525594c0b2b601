import { readdirSync, readFileSync, readlinkSync } from 'node:fs';

export interface PortOwner {
  readonly pid: number;
  readonly command: string;
}

const LISTEN = '0A';

/**
 * Which process listens on a TCP port, for the message that it is taken (proc(5): net/tcp, then the descriptors of every
 * process). Undefined off Linux, or where the process belongs to another user. At once, because root may do it for a moment only
 * (Privileges.raised).
 */
export function findPortOwner(port: number): PortOwner | undefined {
  try {
    const inodes = findListeningInodes(port);
    if (inodes.size === 0) return undefined;
    for (const pid of readdirSync('/proc').filter((name) => /^\d+$/.test(name))) {
      if (holdsSocket(pid, inodes)) {
        const command = readFileSync(`/proc/${pid}/comm`, 'utf8').trim();
        return { pid: Number(pid), command };
      }
    }
  } catch {
    // No /proc here, or it changed while we looked: the message does without the name.
  }
  return undefined;
}

// Private

function findListeningInodes(port: number): Set<string> {
  const hexPort = port.toString(16).toUpperCase().padStart(4, '0');
  const inodes = new Set<string>();
  for (const table of ['/proc/net/tcp', '/proc/net/tcp6']) {
    const text = orElse('', () => readFileSync(table, 'ascii'));
    for (const line of text.split('\n').slice(1)) {
      const fields = line.trim().split(/\s+/);
      if (fields[1]?.endsWith(`:${hexPort}`) && fields[3] === LISTEN && fields[9]) inodes.add(fields[9]);
    }
  }
  return inodes;
}

function holdsSocket(pid: string, inodes: ReadonlySet<string>): boolean {
  const folder = `/proc/${pid}/fd`;
  for (const name of orElse<readonly string[]>([], () => readdirSync(folder))) {
    const target = orElse('', () => readlinkSync(`${folder}/${name}`));
    const inode = /^socket:\[(\d+)\]$/.exec(target)?.[1];
    if (inode !== undefined && inodes.has(inode)) return true;
  }
  return false;
}

/** Of another user, or gone meanwhile. */
function orElse<T>(other: T, read: () => T): T {
  try {
    return read();
  } catch {
    return other;
  }
}

import { readdir, readFile, readlink } from 'node:fs/promises';

export interface PortOwner {
  readonly pid: number;
  readonly command: string;
}

const LISTEN = '0A';

/**
 * Which process listens on a TCP port, for the message that it is taken (proc(5): net/tcp, then the descriptors of every
 * process). Undefined off Linux, or where the process belongs to another user.
 */
export async function findPortOwner(port: number): Promise<PortOwner | undefined> {
  try {
    const inodes = await findListeningInodes(port);
    if (inodes.size === 0) return undefined;
    for (const pid of (await readdir('/proc')).filter((name) => /^\d+$/.test(name))) {
      if (await holdsSocket(pid, inodes)) {
        const command = (await readFile(`/proc/${pid}/comm`, 'utf8')).trim();
        return { pid: Number(pid), command };
      }
    }
  } catch {
    // No /proc here, or it changed while we looked: the message does without the name.
  }
  return undefined;
}

// Private

async function findListeningInodes(port: number): Promise<Set<string>> {
  const hexPort = port.toString(16).toUpperCase().padStart(4, '0');
  const inodes = new Set<string>();
  for (const table of ['/proc/net/tcp', '/proc/net/tcp6']) {
    const text = await readFile(table, 'ascii').catch(() => '');
    for (const line of text.split('\n').slice(1)) {
      const fields = line.trim().split(/\s+/);
      if (fields[1]?.endsWith(`:${hexPort}`) && fields[3] === LISTEN && fields[9]) inodes.add(fields[9]);
    }
  }
  return inodes;
}

async function holdsSocket(pid: string, inodes: ReadonlySet<string>): Promise<boolean> {
  const folder = `/proc/${pid}/fd`;
  for (const name of await readdir(folder).catch(() => [])) {
    const target = await readlink(`${folder}/${name}`).catch(() => '');
    const inode = /^socket:\[(\d+)\]$/.exec(target)?.[1];
    if (inode !== undefined && inodes.has(inode)) return true;
  }
  return false;
}

import { readdir, readFile, readlink } from 'node:fs/promises';

const LISTEN = '0A';
/** Where the kernel gives a port to who asks for any (ip(7), ip_local_port_range): its usual beginning. */
const FIRST_OF_ANY = 32_768;

/**
 * The TCP ports on which the processes of a group listen, those that were asked for by number (proc(5): net/tcp, then the descriptors of each
 * process). Empty off Linux, and for what can't be looked at.
 */
export async function readListeningPorts(group: number, proc = '/proc'): Promise<readonly number[]> {
  const ports = await readPortsByInode(proc);
  if (ports.size === 0) return [];
  const found = new Set<number>();
  for (const pid of await listGroup(group, proc)) {
    for (const inode of await listSockets(`${proc}/${pid}/fd`)) {
      const port = ports.get(inode);
      if (port !== undefined && port < FIRST_OF_ANY) found.add(port);
    }
  }
  return [...found].sort((one, other) => one - other);
}

// Private

async function readPortsByInode(proc: string): Promise<ReadonlyMap<string, number>> {
  const ports = new Map<string, number>();
  for (const table of ['tcp', 'tcp6']) {
    const text = await readFile(`${proc}/net/${table}`, 'ascii').catch(() => '');
    for (const line of text.split('\n').slice(1)) {
      const fields = line.trim().split(/\s+/);
      const hexPort = fields[1]?.split(':')[1];
      if (fields[3] === LISTEN && hexPort !== undefined && fields[9])
        ports.set(fields[9], Number.parseInt(hexPort, 16));
    }
  }
  return ports;
}

async function listGroup(group: number, proc: string): Promise<string[]> {
  const names = await readdir(proc).catch(() => []);
  const members: string[] = [];
  for (const pid of names.filter((name) => /^\d+$/.test(name))) {
    const stat = await readFile(`${proc}/${pid}/stat`, 'latin1').catch(() => '');
    // The name before it is in parentheses, and may have any character: state, ppid, pgrp follow.
    const [, , pgrp] = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
    if (pgrp === String(group)) members.push(pid);
  }
  return members;
}

async function listSockets(folder: string): Promise<string[]> {
  const names = await readdir(folder).catch(() => []);
  const targets = await Promise.all(names.map((name) => readlink(`${folder}/${name}`).catch(() => '')));
  return targets.flatMap((target) => /^socket:\[(\d+)\]$/.exec(target)?.[1] ?? []);
}

import { readdir, readFile, readlink } from 'node:fs/promises';
import { inodeOfLink, parseListeningPorts } from '../../sockets/proc-sockets.js';
import { listGroup } from './group-members.js';

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
  for await (const { pid } of listGroup(group, proc)) {
    for (const inode of await listSockets(`${proc}/${pid}/fd`)) {
      const port = ports.get(inode);
      if (port !== undefined && port < FIRST_OF_ANY) found.add(port);
    }
  }
  return [...found].sort((one, other) => one - other);
}

// Private

async function readPortsByInode(proc: string): Promise<ReadonlyMap<string, number>> {
  const tables = [`${proc}/net/tcp`, `${proc}/net/tcp6`];
  const texts = await Promise.all(tables.map((table) => readFile(table, 'ascii').catch(() => '')));
  return new Map(texts.flatMap(parseListeningPorts).map(({ inode, port }) => [inode, port]));
}

async function listSockets(folder: string): Promise<string[]> {
  const names = await readdir(folder).catch(() => []);
  const targets = await Promise.all(names.map((name) => readlink(`${folder}/${name}`).catch(() => '')));
  return targets.flatMap((target) => inodeOfLink(target) ?? []);
}

import { readdirSync, readFileSync, readlinkSync } from 'node:fs';
import { orElse } from '../contracts/or-else.js';
import { inodeOfLink, parseListeningPorts } from './proc-sockets.js';

export interface PortOwner {
  readonly pid: number;
  readonly command: string;
  /** The systemd service that it belongs to: `nginx`. */
  readonly service: string | undefined;
  /** Only its name says so: the sockets of another user's process can't be looked at. */
  readonly isGuess: boolean;
  /** The folder that another easyserve serves. */
  readonly servedFolder: string | undefined;
}

/** As they are called by Debian, Red Hat and Alpine. */
const webServers: readonly string[] = [
  'nginx',
  'apache2',
  'httpd',
  'caddy',
  'lighttpd',
  'traefik',
  'haproxy',
];

/**
 * Which process listens on a TCP port, for the message that it is taken (proc(5): net/tcp, then the descriptors of every
 * process). Undefined off Linux, or where nothing can be known. At once, because root may do it for a moment only
 * (Privileges.raised).
 */
export function findPortOwner(port: number, proc = '/proc'): PortOwner | undefined {
  try {
    const inodes = findListeningInodes(port, proc);
    if (inodes.size === 0) return undefined;
    const pids = readdirSync(proc).filter((name) => /^\d+$/.test(name));
    const holder = pids.find((pid) => holdsSocket(`${proc}/${pid}`, inodes));
    if (holder !== undefined) return describeOwner(holder, proc, false);
    const server =
      port < 1024 ? pids.find((pid) => webServers.includes(readCommand(`${proc}/${pid}`))) : undefined;
    return server === undefined ? undefined : describeOwner(server, proc, true);
  } catch {
    // No /proc here, or it changed while we looked: the message does without the name.
  }
  return undefined;
}

/** What to type, so that the port is free or another one is taken. */
export function explainPortOwner(port: number, owner: PortOwner | undefined): string {
  const { pid, command = '', service, servedFolder } = owner ?? {};
  const beside = `easyserve start --port ${port === 8001 ? 8002 : 8001}`;
  if (servedFolder !== undefined) return `easyserve stop ${servedFolder}, or ${beside}`;
  if (command === 'docker-proxy')
    return `docker ps --filter publish=${port} names the container, or ${beside}`;
  if (webServers.includes(command)) {
    const stop =
      service === undefined ? `sudo service ${command} stop` : `sudo systemctl disable --now ${service}`;
    return `${stop}, or stand behind it: easyserve start --host 127.0.0.1 --port 8000 (docs/wsgi.md, "Behind another proxy")`;
  }
  if (service !== undefined) return `sudo systemctl disable --now ${service}, or ${beside}`;
  return pid === undefined ? beside : `kill ${pid}, or ${beside}`;
}

// Private

function describeOwner(pid: string, proc: string, isGuess: boolean): PortOwner {
  const folder = `${proc}/${pid}`;
  const command = readCommand(folder);
  const cgroup = orElse('', () => readFileSync(`${folder}/cgroup`, 'utf8'));
  // systemd.unit(5): the services of the system; those of a user are stopped otherwise.
  const service = /\/system\.slice\/(?:.*\/)?([^/\n]+)\.service$/m.exec(cgroup)?.[1];
  const words = orElse('', () => readFileSync(`${folder}/cmdline`, 'utf8')).split('\0');
  const isEasyserve = words.some((word) => /\/easyserve(\.js)?$/.test(word)) && words.includes('start');
  const servedFolder = isEasyserve ? orElse(undefined, () => readlinkSync(`${folder}/cwd`)) : undefined;
  return { pid: Number(pid), command, service, isGuess, servedFolder };
}

function readCommand(folder: string): string {
  return orElse('', () => readFileSync(`${folder}/comm`, 'utf8').trim());
}

function findListeningInodes(port: number, proc: string): Set<string> {
  const tables = [`${proc}/net/tcp`, `${proc}/net/tcp6`];
  const listening = tables.flatMap((table) =>
    parseListeningPorts(orElse('', () => readFileSync(table, 'ascii'))),
  );
  return new Set(listening.filter((one) => one.port === port).map(({ inode }) => inode));
}

function holdsSocket(process: string, inodes: ReadonlySet<string>): boolean {
  const folder = `${process}/fd`;
  for (const name of orElse<readonly string[]>([], () => readdirSync(folder))) {
    const target = orElse('', () => readlinkSync(`${folder}/${name}`));
    const inode = inodeOfLink(target);
    if (inode !== undefined && inodes.has(inode)) return true;
  }
  return false;
}

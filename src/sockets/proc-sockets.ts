const LISTEN = '0A';

export interface ListeningPort {
  readonly port: number;
  /** Of the socket, as the descriptors of its process name it. */
  readonly inode: string;
}

/** The ports that are listened on, from the text of /proc/net/tcp or tcp6 (proc(5)). */
export function parseListeningPorts(table: string): readonly ListeningPort[] {
  return table.split('\n').flatMap((line) => {
    const [, local, , state, , , , , , inode] = line.trim().split(/\s+/);
    const hexPort = local?.split(':')[1];
    if (state !== LISTEN || hexPort === undefined || inode === undefined) return [];
    return [{ port: Number.parseInt(hexPort, 16), inode }];
  });
}

/** The inode that a descriptor of /proc/PID/fd leads to; undefined where it is no socket. */
export function inodeOfLink(target: string): string | undefined {
  return /^socket:\[(\d+)\]$/.exec(target)?.[1];
}

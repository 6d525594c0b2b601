import { spawnSync } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import {
  chmodSync,
  chownSync,
  lstatSync,
  readFileSync,
  readlinkSync,
  renameSync,
  rmSync,
  type Stats,
} from 'node:fs';
import { connect } from 'node:net';
import { dirname, join } from 'node:path';
import { getSystemErrorName } from 'node:util';
import { EasyserveError, ExitCode } from '../contracts/errors.js';
import { type CreateServerHandle, createServerHandle, type SocketHandle } from './socket-handle.js';

export interface UnixSocketRights {
  /** Octal. */
  readonly mode: string;
  /** Name or number; null: the user's own. */
  readonly group: string | null;
}

/** The file of a socket: removed by whoever made it, and by nobody else. */
export interface SocketFile {
  readonly path: string;
  readonly inode: number;
}

export interface BoundUnixSocket {
  readonly handle: SocketHandle;
  readonly file: SocketFile;
}

/**
 * Binds under another name, gives the file its rights, and puts it into place at once: what an instance that was killed has left is
 * replaced, and nobody connects before the mode is right. libuv removes the name that it has bound when the handle is closed, which
 * is that other name. Throws EasyserveError `port-in-use` and `address-unusable`.
 */
export async function bindUnixSocket(
  path: string,
  { mode, group }: UnixSocketRights,
  create: CreateServerHandle = createServerHandle,
): Promise<BoundUnixSocket> {
  await requireFree(path);
  const draft = join(dirname(path), `.${randomBytes(3).toString('hex')}`);
  const handle = create(draft, -1, -1);
  if (typeof handle === 'number') throw unusable(path, getSystemErrorName(handle));
  try {
    if (group !== null) chownSync(draft, -1, groupNumber(group));
    chmodSync(draft, Number.parseInt(mode, 8));
    const { ino: inode } = lstatSync(draft);
    renameSync(draft, path);
    return { handle, file: { path, inode } };
  } catch (error) {
    handle.close();
    rmSync(draft, { force: true });
    if (error instanceof EasyserveError) throw error;
    throw unusable(path, (error as NodeJS.ErrnoException).code ?? String(error));
  }
}

/** Another instance may have put its own in the place meanwhile. */
export function removeSocketFile({ path, inode }: SocketFile): void {
  try {
    if (lstatSync(path).ino === inode) rmSync(path);
  } catch {
    // Not there, or this user may not: the next start replaces it.
  }
}

/** By proc(5): net/unix lists the inodes of sockets with their paths. Undefined: no Unix socket with a name. */
export function unixPathOf(fd: number): string | undefined {
  try {
    const inode = /^socket:\[(\d+)\]$/.exec(readlinkSync(`/proc/self/fd/${fd}`))?.[1];
    const lines = readFileSync('/proc/net/unix', 'utf8').split('\n');
    const fields = lines.map((line) => line.split(' ').filter((field) => field !== ''));
    return fields.find((each) => each[6] === inode)?.[7];
  } catch {
    return undefined;
  }
}

// Private

async function requireFree(path: string): Promise<void> {
  const found = look(path);
  if (found === undefined) return;
  if (!found.isSocket()) throw unusable(path, 'something else than a socket is there');
  const state = await connectTo(path);
  if (state === 'stale') return;
  if (state === 'foreign') throw unusable(path, 'the socket of another user is there');
  throw new EasyserveError(
    'port-in-use',
    ExitCode.address,
    `Another process listens on the socket ${path}.`,
    {
      hint: 'end that process, or another path: easyserve start --host unix:/run/shop/site.sock',
    },
  );
}

/** What connect(2) says of a socket file; `foreign`: this user may not ask whether somebody listens. */
const statesByCode: Readonly<Record<string, 'stale' | 'foreign'>> = {
  ECONNREFUSED: 'stale',
  ENOENT: 'stale', // gone meanwhile
  EACCES: 'foreign',
  EPERM: 'foreign',
};

/** `live` also where nobody can tell, as with a full queue (EAGAIN). */
function connectTo(path: string): Promise<'live' | 'stale' | 'foreign'> {
  return new Promise((resolve) => {
    const client = connect(path);
    const end = (state: 'live' | 'stale' | 'foreign') => {
      client.destroy();
      resolve(state);
    };
    client.once('connect', () => end('live'));
    client.once('error', ({ code = '' }: NodeJS.ErrnoException) => end(statesByCode[code] ?? 'live'));
  });
}

function look(path: string): Stats | undefined {
  try {
    return lstatSync(path);
  } catch {
    return undefined;
  }
}

/** By getent(1), because Node has no getgrnam(3). */
function groupNumber(group: string): number {
  if (/^\d+$/.test(group)) return Number(group);
  const number = spawnSync('getent', ['group', group], { encoding: 'utf8' }).stdout?.split(':')[2];
  if (number !== undefined) return Number(number);
  throw new EasyserveError(
    'group-unknown',
    ExitCode.settings,
    `There is no group ${group} on this machine.`,
    {
      hint: `sudo groupadd --system ${group}`,
    },
  );
}

function unusable(path: string, reason: string): EasyserveError {
  return new EasyserveError(
    'address-unusable',
    ExitCode.address,
    `The socket ${path} cannot be made (${reason}).`,
    {
      hint: `a folder that the user of the site may write: sudo install -d -o USER ${dirname(path)}`,
    },
  );
}

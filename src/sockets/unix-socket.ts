import { spawnSync } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import {
  chmodSync,
  chownSync,
  linkSync,
  lstatSync,
  readdirSync,
  readFileSync,
  readlinkSync,
  renameSync,
  rmSync,
  type Stats,
} from 'node:fs';
import { connect } from 'node:net';
import { basename, dirname, join } from 'node:path';
import { getSystemErrorName } from 'node:util';
import { EasyserveError, ExitCode } from '../contracts/errors.js';
import { inodeOfLink } from './proc-sockets.js';
import { type CreateServerHandle, createServerHandle, type SocketHandle } from './socket-handle.js';

const GETENT_TIMEOUT_MS = 5000;

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
 * Binds under another name, gives the file its rights, and links it into place: nobody connects before the mode is right, and of two
 * instances that start at the same moment one gets the place. The other name stays until libuv removes it, when the handle is
 * closed: by it an instance that does not accept yet is known from one that was killed, whose file is replaced.
 * Throws EasyserveError `port-in-use` and `address-unusable`.
 */
export async function bindUnixSocket(
  path: string,
  { mode, group }: UnixSocketRights,
  create: CreateServerHandle = createServerHandle,
): Promise<BoundUnixSocket> {
  const draft = join(dirname(path), `.${randomBytes(3).toString('hex')}`);
  await clear(path);
  const handle = create(draft, -1, -1);
  if (typeof handle === 'number') throw unusable(path, getSystemErrorName(handle));
  try {
    giveRights(draft, { mode, group });
    const { ino: inode } = lstatSync(draft);
    while (!linkIfFree(draft, path)) await clear(path);
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

/** Of a socket that stays where it is, because others are wanted. Throws EasyserveError `address-unusable`. */
export function changeRights({ path, inode }: SocketFile, rights: UnixSocketRights): void {
  if (look(path)?.ino !== inode) return;
  try {
    giveRights(path, rights);
  } catch (error) {
    if (error instanceof EasyserveError) throw error;
    throw unusable(path, (error as NodeJS.ErrnoException).code ?? String(error));
  }
}

/** By proc(5): net/unix lists the inodes of sockets with their paths. Undefined: no Unix socket with a name. */
export function unixPathOf(fd: number): string | undefined {
  try {
    const inode = inodeOfLink(readlinkSync(`/proc/self/fd/${fd}`));
    return readUnixSockets().find((each) => each[6] === inode)?.[7];
  } catch {
    return undefined;
  }
}

// Private

function giveRights(file: string, { mode, group }: UnixSocketRights): void {
  if (group !== null) chownSync(file, -1, groupNumber(group));
  chmodSync(file, Number.parseInt(mode, 8));
}

/** Removes what a killed instance has left. Throws EasyserveError where a live one has the place, or something else. */
async function clear(path: string): Promise<void> {
  const found = look(path);
  if (found === undefined) return;
  if (!found.isSocket()) throw unusable(path, 'something else than a socket is there');
  const state = await connectTo(path);
  if (state === 'foreign') throw unusable(path, 'the socket of another user is there');
  if (state === 'stale' && !isBound(path, found)) return removeStale(path, found);
  throw new EasyserveError(
    'port-in-use',
    ExitCode.address,
    `Another process listens on the socket ${path}.`,
    {
      hint: 'end that process, or another path: easyserve start --host unix:/run/shop/site.sock',
    },
  );
}

/** False: something is there. */
function linkIfFree(draft: string, path: string): boolean {
  try {
    linkSync(draft, path);
    return true;
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'EEXIST') return false;
    throw error;
  }
}

const draftName = /^\.[0-9a-f]{6}$/;

/** Whether a live process has bound it, as yet without listening: then the name that it has bound is in proc(5), net/unix. */
function isBound(path: string, { ino }: Stats): boolean {
  const folder = dirname(path);
  return listBoundPaths()
    .map((bound) => basename(bound))
    .some((name) => draftName.test(name) && look(join(folder, name))?.ino === ino);
}

/** What another instance has put in the place meanwhile is put back. */
function removeStale(path: string, { ino }: Stats): void {
  const folder = dirname(path);
  const aside = join(folder, `.${randomBytes(6).toString('hex')}`);
  try {
    renameSync(path, aside);
    if (look(aside)?.ino !== ino) linkSync(aside, path);
    rmSync(aside);
    const left = readdirSync(folder).filter((name) => draftName.test(name));
    for (const name of left) if (look(join(folder, name))?.ino === ino) rmSync(join(folder, name));
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    if (code !== 'ENOENT') throw unusable(path, code ?? String(error));
  }
}

function listBoundPaths(): readonly string[] {
  return readUnixSockets().flatMap((fields) => fields[7] ?? []);
}

function readUnixSockets(): readonly (readonly string[])[] {
  try {
    const lines = readFileSync('/proc/net/unix', 'utf8').split('\n');
    return lines.map((line) => line.split(' ').filter((field) => field !== ''));
  } catch {
    return []; // not Linux
  }
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

/** By getent(1), because Node has no getgrnam(3). It may ask a server, for which nobody waits long. */
function groupNumber(group: string): number {
  if (/^\d+$/.test(group)) return Number(group);
  const options = { encoding: 'utf8', timeout: GETENT_TIMEOUT_MS } as const;
  const number = spawnSync('getent', ['group', group], options).stdout?.split(':')[2];
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
      hint: `a folder that the user of the site may write: ${describeFolder(dirname(path))}`,
    },
  );
}

/** One that everything shares must not become the site's. */
function describeFolder(folder: string): string {
  const make = 'sudo install -d -o USER';
  const isShared = /^\/(?:run|var\/run|tmp|var\/tmp|dev\/shm)?$/.test(folder);
  return isShared ? `${make} /run/shop, and host = "unix:/run/shop/site.sock"` : `${make} ${folder}`;
}

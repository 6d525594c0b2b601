import { createHash } from 'node:crypto';
import { chmod, link, lstat, mkdir, opendir, readdir, realpath, rm, stat, symlink } from 'node:fs/promises';
import { basename, dirname, join, resolve } from 'node:path';
import { EasyserveError, ExitCode } from '../contracts/errors.js';
import { findForeignEntry } from '../settings/path-entries.js';
import { withDiskErrors } from './disk-error.js';
import { isSocketAnswering } from './socket-probe.js';
import { writeAtomically } from './write-atomically.js';

/**
 * Where one instance keeps its sockets, its pid file and its spooled bodies.
 *
 * `start` makes it (stateFolderOf), the other verbs look for it (findStateFolders). There are three candidates, in this order:
 *
 *   <project>/.easyserve            the usual one
 *   <parent>/.easyserve-<link>      the project was named by a symbolic link, like `current` of a release folder: the link
 *                                   outlives the release that it points to, and so must the sockets
 *   /tmp/easyserve-<uid>/<hash>     the project can't be written, or its path is too long for a socket
 */
export interface StateFolder {
  readonly path: string;
  readonly controlSocket: string;
  readonly pidFile: string;
  /** The log of a daemon. */
  readonly logFile: string;
  /** Since when HTTPS works without a failure. */
  readonly hstsFile: string;
  /** Sockets of application processes. */
  readonly runFolder: string;
  /** Request bodies. */
  readonly spoolFolder: string;
  /** A link to controlSocket where the project's real path leads; only with a project that was named by a link. */
  readonly controlSocketLink: string | undefined;
}

/** For tests. */
export interface StateFolderOptions {
  readonly uid?: number;
  readonly tmp?: string;
}

/** The longest path below a state folder that is bound as a socket. */
const longestSocket = '/run/run-4194304/app-9999-9999.sock';
/** sun_path with its NUL: 108 bytes on Linux (unix(7)), 104 on macOS and the BSDs. */
const longestSocketPathBytes = (process.platform === 'linux' ? 108 : 104) - 1;

/** File systems and folders that can't hold the state: no permission, read-only, no hard links or sockets. */
const unusable = new Set([
  // What stands where .gitignore belongs is a FIFO or a socket, or a link to itself (open(2)).
  'ENXIO',
  'ELOOP',
  'EACCES',
  'EPERM',
  'EROFS',
  'ENOTDIR',
  'ENOTSUP',
  'EOPNOTSUPP',
  'ENOSYS',
  'ENAMETOOLONG',
]);

/**
 * The state folder of a project, made with mode 0700 where it is missing.
 * Throws EasyserveError `project-missing`, `state-folder-unsafe`, `disk-full`, `disk-read-only`.
 */
export async function stateFolderOf(
  projectDir: string,
  options: StateFolderOptions = {},
): Promise<StateFolder> {
  const uid = options.uid ?? ownUid();
  const location = await locateProject(projectDir);
  await requireReadable(location.root);
  const running = join(location.inRoot, 'control.sock');
  // It may be running under the project's other name; then the lock there refuses the second start.
  if (await isSocketAnswering(running)) return describeStateFolder(dirname(await realpath(running)));
  if (
    isShortEnough(location.beside) &&
    (await withDiskErrors(location.root, () => prepareBeside(location, uid)))
  ) {
    const controlSocketLink =
      location.beside === location.inRoot ? undefined : join(location.inRoot, 'control.sock');
    return describeStateFolder(await realpath(location.beside), controlSocketLink);
  }
  const tmp = options.tmp ?? '/tmp';
  const base = join(tmp, `easyserve-${uid}`);
  const path = join(base, location.hash);
  await withDiskErrors(tmp, async () => {
    await prepareTmp(base, uid);
    await prepareTmp(path, uid);
  });
  return describeStateFolder(path);
}

/** For a start, which reads the project's settings before it makes the state folder. Throws EasyserveError `project-missing`. */
export async function requireProject(projectDir: string): Promise<void> {
  await requireReadable((await locateProject(projectDir)).root);
}

/** Where an instance of the project may be, best first. Nothing is created; the folders may be missing. */
export async function findStateFolders(
  projectDir: string,
  options: StateFolderOptions = {},
): Promise<readonly StateFolder[]> {
  const uid = options.uid ?? ownUid();
  const tmp = options.tmp ?? '/tmp';
  const location = await locateProject(projectDir);
  const uids = new Set([uid, (await stat(location.root)).uid, ...(uid === 0 ? await tmpOwners(tmp) : [])]);
  const inTmp = [...uids].map((owner) => join(tmp, `easyserve-${owner}`, location.hash));
  return [...ownFolders(location), ...inTmp].map((path) => describeStateFolder(path));
}

/** Those of them that are the project's own: in it, and beside the link that it is named by. */
export async function findOwnStateFolders(projectDir: string): Promise<readonly string[]> {
  return ownFolders(await locateProject(projectDir));
}

export function describeStateFolder(path: string, controlSocketLink?: string): StateFolder {
  return {
    path,
    controlSocket: join(path, 'control.sock'),
    pidFile: join(path, 'easyserve.pid'),
    logFile: join(path, 'easyserve.log'),
    hstsFile: join(path, 'hsts.json'),
    runFolder: join(path, 'run'),
    spoolFolder: join(path, 'spool'),
    controlSocketLink,
  };
}

const ignoreAll = '*\n';

interface ProjectLocation {
  /** The project, symbolic links resolved. */
  readonly root: string;
  readonly inRoot: string;
  /** Same as inRoot, unless the project's name is a symbolic link. */
  readonly beside: string;
  readonly hash: string;
}

function ownFolders({ beside, inRoot }: ProjectLocation): readonly string[] {
  return [...new Set([beside, inRoot])];
}

async function locateProject(projectDir: string): Promise<ProjectLocation> {
  const absolute = resolve(projectDir);
  let root: string;
  let named: string;
  try {
    root = await realpath(absolute);
    named = join(await realpath(dirname(absolute)), basename(absolute));
  } catch (error) {
    const isMissing = (error as NodeJS.ErrnoException).code === 'ENOENT';
    throw isMissing
      ? noProject(`The folder ${absolute} does not exist.`, error)
      : closedFolder(`The folder ${absolute} cannot be entered.`, absolute, error);
  }
  const inRoot = join(root, '.easyserve');
  const beside = named === root ? inRoot : join(dirname(named), `.easyserve-${basename(named)}`);
  return { root, inRoot, beside, hash: createHash('sha256').update(named).digest('hex').slice(0, 16) };
}

/** A start has to read the project. */
async function requireReadable(root: string): Promise<void> {
  if (!(await stat(root)).isDirectory()) throw noProject(`${root} is not a folder.`);
  try {
    // Not access(2), which checks the real user: root may be acting as another one (Privileges).
    await (await opendir(root)).close();
    await stat(join(root, '.'));
  } catch (error) {
    throw closedFolder(`The folder ${root} cannot be read by this user.`, root, error);
  }
}

function noProject(message: string, cause?: unknown): EasyserveError {
  return new EasyserveError('project-missing', ExitCode.application, message, { cause });
}

function closedFolder(sentence: string, folder: string, cause: unknown): EasyserveError {
  return new EasyserveError('project-missing', ExitCode.application, sentence, {
    hint: `chmod o+rx ${folder}, and o+x for the folders above it; or, where it is root's: easyserve adopt ${folder}`,
    cause,
  });
}

/** False where the state has to go elsewhere. */
async function prepareBeside(location: ProjectLocation, uid: number): Promise<boolean> {
  try {
    if (!(await claimFolder(location.beside, uid))) return false;
    await proveHardLinks(location.beside);
    if (location.beside !== location.inRoot) await leadTo(location, uid);
    return true;
  } catch (error) {
    if (unusable.has((error as NodeJS.ErrnoException).code ?? '')) return false;
    throw error;
  }
}

/** Makes the folder, or checks that the one that is there may be trusted: it is ours. */
async function claimFolder(path: string, uid: number): Promise<boolean> {
  if (!mayStandIn(dirname(path), uid)) return false;
  await makeFolder(path);
  // stat, not lstat: a person may have made it a link, to keep the state elsewhere.
  const found = await stat(path).catch(() => undefined);
  if (found === undefined || !found.isDirectory()) return false;
  if (found.uid !== uid || !isShortEnough(await realpath(path))) return false;
  if ((found.mode & 0o077) !== 0) await chmod(path, 0o700);
  await writeIgnoreFile(join(path, '.gitignore'));
  return true;
}

/** Not read, because it may be a FIFO, which waits for a writer (fifo(7)). */
async function writeIgnoreFile(path: string): Promise<void> {
  const found = await lstat(path).catch(() => undefined);
  if (found?.isFile() && found.size === ignoreAll.length) return;
  await writeAtomically(path, ignoreAll);
}

/** Root that stays root writes nothing where a user may put links in its way. */
function mayStandIn(folder: string, uid: number): boolean {
  return uid !== 0 || process.geteuid === undefined || findForeignEntry(folder) === undefined;
}

/** The lock (FileLock) needs link(2), which FAT and some shared folders of virtual machines lack. */
async function proveHardLinks(path: string): Promise<void> {
  const probe = join(path, `.probe-${process.pid}-${process.hrtime.bigint()}`);
  await link(join(path, '.gitignore'), probe);
  await rm(probe);
}

/** Lets verbs that are given the release's real path find the instance that was started through a link. */
async function leadTo(location: ProjectLocation, uid: number): Promise<void> {
  try {
    if (!(await claimFolder(location.inRoot, uid))) return;
    const controlSocketLink = join(location.inRoot, 'control.sock');
    // No instance answers there (stateFolderOf).
    await rm(controlSocketLink, { force: true });
    await symlink(join(location.beside, 'control.sock'), controlSocketLink);
  } catch (error) {
    // Not ours to write, or another start was faster: the instance is still found under the name that it was started by.
    const code = (error as NodeJS.ErrnoException).code ?? '';
    if (code !== 'EEXIST' && !unusable.has(code)) throw error;
  }
}

/** A folder below /tmp: anybody may have made it before us. */
async function prepareTmp(path: string, uid: number): Promise<void> {
  await makeFolder(path);
  const found = await lstat(path);
  if (!found.isDirectory() || found.uid !== uid) {
    throw new EasyserveError(
      'state-folder-unsafe',
      ExitCode.unexpected,
      `${path} belongs to somebody else or is a symbolic link, so the control socket cannot be kept there.`,
      { hint: `sudo rm -r ${path}` },
    );
  }
  if ((found.mode & 0o077) !== 0) await chmod(path, 0o700);
}

async function makeFolder(path: string): Promise<void> {
  try {
    await mkdir(path, { mode: 0o700 });
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'EEXIST') throw error;
  }
}

/** Users with a fallback folder. Root may control the instance of any of them. */
async function tmpOwners(tmp: string): Promise<number[]> {
  const owners: number[] = [];
  for (const name of await readdir(tmp)) {
    const owner = /^easyserve-(\d+)$/.exec(name)?.[1];
    if (owner !== undefined && (await lstat(join(tmp, name))).uid === Number(owner))
      owners.push(Number(owner));
  }
  return owners;
}

function isShortEnough(folder: string): boolean {
  return Buffer.byteLength(folder + longestSocket) <= longestSocketPathBytes;
}

/** The owner of files that this process makes. */
function ownUid(): number {
  return process.geteuid?.() ?? 0;
}

import type { Dirent } from 'node:fs';
import { lstat, readdir, realpath, stat } from 'node:fs/promises';
import { join, sep } from 'node:path';
import { Semaphore } from '../../contracts/semaphore.js';
import { type DiskFile, toDiskFile } from './static-file.js';
import { isHidden } from './url-path.js';

/** Files by their path below the root, with `/` between names. */
export interface FoundFiles {
  readonly files: Map<string, DiskFile>;
  /** Symlinks left out because they lead out of the root, in circles or nowhere. */
  skippedLinks: number;
  unreadableFolders: number;
  isRootMissing: boolean;
}

const callsAtOnce = 32;

interface Folder {
  readonly path: string;
  /** Path below the root, '' or ending in a slash. */
  readonly below: string;
  /** Real paths of this folder and those above it, to see a circle. */
  readonly lineage: readonly string[];
}

/**
 * Reads a whole tree. Hidden names are left out, except `.well-known`; so are symlinks that lead out of the root.
 */
export async function walkFolder(root: string): Promise<FoundFiles> {
  const found = nothingFound();
  const realRoot = await unlessGone(realpath(root));
  if (realRoot === undefined) return { ...found, isRootMissing: true };
  const semaphore = new Semaphore(callsAtOnce);
  const folders: Folder[] = [{ path: realRoot, below: '', lineage: [realRoot] }];
  const visit = async (folder: Folder, entry: Dirent): Promise<void> => {
    const what = await examine(realRoot, folder, entry);
    if (what === 'skipped-link') found.skippedLinks += 1;
    else if (what !== undefined && 'lineage' in what) folders.push(what);
    else if (what !== undefined) found.files.set(folder.below + entry.name, what);
  };
  for (let folder = folders.pop(); folder !== undefined; folder = folders.pop()) {
    const current = folder;
    const entries = await unlessGone(readdir(current.path, { withFileTypes: true }));
    if (entries === undefined) found.unreadableFolders += 1;
    await Promise.all((entries ?? []).map((entry) => semaphore.run(() => visit(current, entry))));
  }
  return found;
}

/** Looks up files that Django's finders named; a symlink among them is the project's own and is followed. */
export async function describeFound(named: Readonly<Record<string, string>>): Promise<FoundFiles> {
  const found = nothingFound();
  const semaphore = new Semaphore(callsAtOnce);
  const describe = async (below: string, path: string): Promise<void> => {
    const own = await unlessGone(lstat(path));
    const isLink = own?.isSymbolicLink() ?? false;
    const real = isLink ? await unlessGone(realpath(path)) : path;
    const stats = isLink && real !== undefined ? await unlessGone(stat(real)) : own;
    if (real !== undefined && stats?.isFile()) found.files.set(below, toDiskFile(real, stats));
    else if (isLink) found.skippedLinks += 1;
  };
  const visible = Object.entries(named).filter(([below]) => !isLeftOut(below));
  await Promise.all(visible.map(([below, path]) => semaphore.run(() => describe(below, path))));
  return found;
}

/** What one name below a root is at this moment; undefined when it is not there, or a symlink leads outside. */
export async function lookInside(root: string, below: string): Promise<DiskFile | 'folder' | undefined> {
  const real = await unlessGone(realpath(join(root, below)));
  // One call of the system where nothing is there: a flood of invented names costs no more.
  const realRoot = real === undefined ? undefined : await unlessGone(realpath(root));
  if (real === undefined || realRoot === undefined) return undefined;
  if (real !== realRoot && !real.startsWith(realRoot + sep)) return undefined;
  const stats = await unlessGone(stat(real));
  if (stats?.isDirectory()) return 'folder';
  return stats?.isFile() ? toDiskFile(real, stats) : undefined;
}

/** Hidden names except `.well-known`: no file of such a name is served, nor any in a folder of such a name. */
export function isLeftOut(below: string): boolean {
  return isHidden(below.replaceAll('.well-known/', '').replace(/\.well-known$/, ''));
}

// Private

async function examine(
  realRoot: string,
  folder: Folder,
  entry: Dirent,
): Promise<DiskFile | Folder | 'skipped-link' | undefined> {
  if (isLeftOut(entry.name)) return undefined;
  const path = join(folder.path, entry.name);
  const isLink = entry.isSymbolicLink();
  const real = isLink ? await unlessGone(realpath(path)) : path;
  const stats = real === undefined ? undefined : await unlessGone(stat(real));
  if (real === undefined || (isLink && !real.startsWith(realRoot + sep))) return 'skipped-link';
  if (stats?.isFile()) return toDiskFile(real, stats);
  if (!stats?.isDirectory()) return undefined;
  if (folder.lineage.includes(real)) return 'skipped-link';
  return { path: real, below: `${folder.below}${entry.name}/`, lineage: [...folder.lineage, real] };
}

function nothingFound(): FoundFiles {
  return { files: new Map(), skippedLinks: 0, unreadableFolders: 0, isRootMissing: false };
}

/**
 * Undefined for what has gone since it was listed, may not be read, or has a name that isn't UTF-8 (listed
 * with replacement characters, so it isn't found under them).
 */
async function unlessGone<T>(found: Promise<T>): Promise<T | undefined> {
  try {
    return await found;
  } catch (error) {
    const code = (error as NodeJS.ErrnoException).code ?? '';
    if (['ENOENT', 'ENOTDIR', 'ELOOP', 'EACCES', 'ENAMETOOLONG'].includes(code)) return undefined;
    throw error;
  }
}

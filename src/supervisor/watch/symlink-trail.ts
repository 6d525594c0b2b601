import { lstat, readlink } from 'node:fs/promises';
import { basename, dirname, join, parse, sep } from 'node:path';

/** Folder -> the names in it whose change may change what a path leads to. */
export type Trail = Map<string, Set<string>>;

/** As many as Linux follows (path_resolution(7)). */
const maxLinks = 40;

/**
 * Every place where a file's path may be turned elsewhere: the file itself, each symbolic link on the way, and the first
 * missing name. Added to `trail`; the folders are real ones, that exist.
 *
 * A Kubernetes ConfigMap is replaced by renaming one link: settings.toml -> ..data/settings.toml, ..data -> ..2026_07_01.
 * Of that, the trail holds settings.toml and ..data in the mounted folder, and settings.toml in the dated one.
 */
export async function addTrail(trail: Trail, file: string): Promise<void> {
  let folder = parse(file).root;
  let links = 0;
  const rest = namesOf(file);
  for (let name = rest.shift(); name !== undefined; name = rest.shift()) {
    if (name === '..') {
      folder = dirname(folder);
      continue;
    }
    const path = join(folder, name);
    const kind = await kindOf(path);
    if (kind !== 'folder' || rest.length === 0) mark(trail, path);
    if (kind === 'missing' || kind === 'file') return;
    if (kind === 'folder') {
      folder = path;
      continue;
    }
    links += 1;
    if (links > maxLinks) return;
    const target = await readlink(path);
    if (target.startsWith(sep)) folder = parse(target).root;
    rest.unshift(...namesOf(target));
  }
}

function namesOf(path: string): string[] {
  return path
    .slice(parse(path).root.length)
    .split(sep)
    .filter((name) => name !== '' && name !== '.');
}

async function kindOf(path: string): Promise<'link' | 'folder' | 'file' | 'missing'> {
  try {
    const found = await lstat(path);
    if (found.isSymbolicLink()) return 'link';
    return found.isDirectory() ? 'folder' : 'file';
  } catch {
    // ENOENT, and what can't be looked into (EACCES, ENOTDIR, ELOOP): beyond it there is nothing to follow.
    return 'missing';
  }
}

function mark(trail: Trail, path: string): void {
  const folder = dirname(path);
  const names = trail.get(folder) ?? new Set();
  trail.set(folder, names.add(basename(path)));
}

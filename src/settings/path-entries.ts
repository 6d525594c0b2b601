import { lstatSync, readlinkSync, type Stats } from 'node:fs';
import { dirname, join, parse, resolve, sep } from 'node:path';

/** A folder, a link or a file on the way to where a path leads: who can change one of them decides where that is. */
export interface PathEntry {
  readonly path: string;
  readonly stats: Pick<Stats, 'uid' | 'gid' | 'mode' | 'isDirectory' | 'isFile' | 'isSymbolicLink'>;
}

/** As many as Linux follows (path_resolution(7)). */
const maxLinks = 40;

/**
 * Every entry from / to the end of a path, links followed by hand, the end last. Nothing is opened. Throws what lstat(2) says,
 * and ELOOP.
 *
 * What one user could turn meanwhile has an entry of that user's before it: whoever judges all of them is not deceived by a race.
 */
export function listPathEntries(path: string): readonly PathEntry[] {
  const { root } = parse(resolve(path));
  const entries: PathEntry[] = [look(root)];
  const rest = namesOf(resolve(path));
  let folder = root;
  let links = 0;
  for (let name = rest.shift(); name !== undefined; name = rest.shift()) {
    if (name === '..') {
      folder = dirname(folder);
      continue;
    }
    const entry = look(join(folder, name));
    entries.push(entry);
    if (!entry.stats.isSymbolicLink()) {
      folder = entry.path;
      continue;
    }
    links += 1;
    if (links > maxLinks) throw Object.assign(new Error(`too many links: ${path}`), { code: 'ELOOP' });
    const target = readlinkSync(entry.path);
    if (target.startsWith(sep)) folder = root;
    rest.unshift(...namesOf(target));
  }
  return entries;
}

/**
 * Why others than root can change what a file says: the entry nearest to it that is theirs. Undefined: root alone can write the file, and
 * every folder up to /. Access control lists need no look of their own: the group's bits of the mode are their mask (acl(5)).
 */
export function findForeignHand(path: string): string | undefined {
  let entries: readonly PathEntry[];
  try {
    entries = listPathEntries(path);
  } catch {
    return `${path} cannot be looked at`;
  }
  for (const { path: each, stats } of entries.toReversed()) {
    if (stats.uid !== 0) return `${each} belongs to the user with the number ${stats.uid}`;
    if (!stats.isSymbolicLink() && (stats.mode & 0o022) !== 0) return `others than root can write ${each}`;
  }
  return entries.at(-1)?.stats.isFile() ? undefined : `${path} is not a file`;
}

/**
 * Why somebody else than root and the owner of a folder could put another one in its place; undefined: nobody can. In a folder
 * with the sticky bit, like /tmp, only the owner of an entry can rename it (inode(7)).
 */
export function findReplaceableEntry(
  entries: readonly PathEntry[],
  owner: { readonly uid: number; readonly gid: number },
): string | undefined {
  for (const { path, stats } of entries.slice(0, -1)) {
    if (stats.uid !== 0 && stats.uid !== owner.uid)
      return `${path} belongs to the user with the number ${stats.uid}`;
    if (stats.isSymbolicLink() || (stats.mode & 0o1000) !== 0) continue;
    if ((stats.mode & 0o002) !== 0) return `every user can write ${path}`;
    const isForeignGroup = stats.gid !== 0 && stats.gid !== owner.gid;
    if ((stats.mode & 0o020) !== 0 && isForeignGroup)
      return `the group with the number ${stats.gid} can write ${path}`;
  }
  return undefined;
}

/**
 * Why somebody else than root could lead root elsewhere on the way to what is in a folder; undefined: nobody can. The folder itself
 * counts too: in one that is open to others they put what they like.
 */
export function findForeignEntry(folder: string): string | undefined {
  const entries = listPathEntries(folder);
  return findReplaceableEntry([...entries, ...entries.slice(-1)], { uid: 0, gid: 0 });
}

// Private

function look(path: string): PathEntry {
  return { path, stats: lstatSync(path) };
}

function namesOf(path: string): string[] {
  return path
    .slice(parse(path).root.length)
    .split(sep)
    .filter((name) => name !== '' && name !== '.');
}

import { lstatSync, readdirSync, type Stats } from 'node:fs';
import { dirname, join, sep } from 'node:path';
import { EasyserveError, ExitCode } from '../../contracts/errors.js';
import type { WrittenPlace } from '../../project/written-places.js';
import { listPathEntries } from '../../settings/path-entries.js';
import type { FormerEntry } from './adoption-record.js';

/** What is to be done to one entry of the file system. */
export type RightsChange =
  /** The group of the site gets these bits of the mode: 0o010 to enter, 0o040 to read, 0o3070 to make files and remove its own. */
  | { readonly kind: 'admit'; readonly before: FormerEntry; readonly bits: number }
  /** The user gets it, with all that is in it. */
  | { readonly kind: 'give'; readonly before: FormerEntry }
  /** The user gets a folder that is not there. */
  | { readonly kind: 'make'; readonly path: string };

type Site = { readonly uid: number; readonly gid: number };

const ENTER = 0o010;
const READ = 0o040;
/**
 * Sticky: others' files in it are neither removed nor renamed by the user, so that code stays as it is (inode(7)). Set-group-ID: what root
 * makes in it, SQLite's journal for one, is the group's too.
 */
const SHARE = 0o3070;
const WRITE_FILE = 0o060;

/** Not the application's business, and full of secrets of others. */
const leftOut = new Set(['.git', '.hg', '.svn', '.ssh', '.easyserve']);

/** So that the user may come to where these paths lead. */
export function planWays(paths: readonly string[], site: Site): readonly RightsChange[] {
  const entries = paths.flatMap((path) => listPathEntries(path));
  return entries
    .filter(({ stats }) => stats.isDirectory() && !has(stats, site, ENTER))
    .map(({ path, stats }) => admit(path, stats, ENTER));
}

/** So that the user may read what is in the folder, also where root's umask was 077. */
export function planReading(folder: string, site: Site): readonly RightsChange[] {
  const stats = lstatSync(folder);
  const own = stats.uid === 0 && !has(stats, site, READ | ENTER) ? [admit(folder, stats, READ | ENTER)] : [];
  return [...own, ...planContent(folder, site)];
}

/** So that the user may write a place. `root`: of the project. */
export function planWriting(
  { kind, path, name }: WrittenPlace,
  root: string,
  { gid }: Pick<Site, 'gid'>,
): readonly RightsChange[] {
  if (kind === 'folder') return planFolder(path, name, root);
  const folder = dirname(path);
  if (isGivable(folder, root) && !holdsCode(folder)) return planFolder(folder, name, root);
  if (!isWithin(folder, root)) throw refuse(path, name);
  const files = [path, `${path}-wal`, `${path}-shm`, `${path}-journal`];
  return [
    ...admitMissing(folder, SHARE, gid),
    ...files.flatMap((each) => admitMissing(each, WRITE_FILE, gid)),
  ];
}

/** Folders of the system, and what is in them. */
const ofSystem = /^\/(?:bin|boot|dev|etc|lib[^/]*|proc|sbin|sys|usr)(?:\/|$)/;
/** Folders in which everybody has something. */
const shared = /^(?:\/[^/]*|\/var\/[^/]*|\/usr\/local|\/run\/[^/]*)$/;

/** Whether it may be the site's alone. */
export function isGivable(path: string, root: string): boolean {
  return !ofSystem.test(path) && !shared.test(path) && !isWithin(root, path);
}

// Private

function planContent(folder: string, site: Site): readonly RightsChange[] {
  return readdirSync(folder, { withFileTypes: true }).flatMap((entry): readonly RightsChange[] => {
    const path = join(folder, entry.name);
    if (leftOut.has(entry.name)) return [];
    if (entry.isDirectory()) return planReading(path, site);
    const stats = lstatSync(path);
    const bits = READ | ((stats.mode & 0o100) >> 3);
    return stats.isFile() && stats.uid === 0 && !has(stats, site, bits) ? [admit(path, stats, bits)] : [];
  });
}

/** Of root's entries: a file that the user has made is the user's. */
function admitMissing(path: string, bits: number, gid: number): readonly RightsChange[] {
  const stats = look(path);
  if (stats === undefined || stats.uid !== 0) return [];
  return stats.gid === gid && (stats.mode & bits) === bits ? [] : [admit(path, stats, bits)];
}

function planFolder(path: string, name: string, root: string): readonly RightsChange[] {
  if (!isGivable(path, root)) throw refuse(path, name);
  const stats = look(path);
  if (stats !== undefined) return stats.uid === 0 ? [{ kind: 'give', before: former(path, stats) }] : [];
  const above = dirname(path);
  const ofAbove = isGivable(above, root) && look(above) === undefined ? planFolder(above, name, root) : [];
  return [...ofAbove, { kind: 'make', path }];
}

function isWithin(path: string, folder: string): boolean {
  return path === folder || path.startsWith(`${folder}${sep}`);
}

/** A folder that the user owned would let the application rewrite itself. */
function holdsCode(folder: string): boolean {
  if (look(folder) === undefined) return false;
  return readdirSync(folder).some((name) => /\.(?:py|[cm]?[jt]s|toml|ya?ml)$|^package\.json$/.test(name));
}

function has(
  { uid, gid, mode }: { readonly uid: number; readonly gid: number; readonly mode: number },
  site: Site,
  groupBits: number,
): boolean {
  if (uid === site.uid) return (mode & (groupBits << 3)) === groupBits << 3;
  const bits = gid === site.gid ? groupBits : groupBits >> 3;
  return (mode & bits) === bits;
}

type Looked = { readonly uid: number; readonly gid: number; readonly mode: number };

/** The group is root's, in which nobody else is; another one's members must not lose what they have. */
function admit(path: string, stats: Looked, bits: number): RightsChange {
  return { kind: 'admit', before: former(path, stats), bits };
}

function former(path: string, { uid, gid, mode }: Looked): FormerEntry {
  return { path, uid, gid, mode: mode & 0o7777 };
}

function look(path: string): Stats | undefined {
  return lstatSync(path, { throwIfNoEntry: false });
}

function refuse(path: string, name: string): EasyserveError {
  return new EasyserveError(
    'adopt-refused',
    ExitCode.settings,
    `${name} ${path} is written by the application, and is not a place of this site alone.`,
    { hint: `a folder of its own for it, in the project or in /srv: mkdir /srv/data` },
  );
}

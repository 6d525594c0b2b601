import { chownSync, mkdirSync, statSync } from 'node:fs';
import { dirname, sep } from 'node:path';
import { EasyserveError, ExitCode } from '../contracts/errors.js';
import { findForeignEntry } from '../settings/path-entries.js';
import type { Privileges } from './privileges.js';

/**
 * Makes a folder that the application writes to, with those above it, for the user of the site: by that user's own rights, else by
 * root's where that can do no harm. Returns whether it was made. Throws EasyserveError `folder-not-made` with the command that makes it.
 */
export function makeFolder(path: string, projectDir: string, privileges: Privileges): boolean {
  if (isFolder(path)) return false;
  try {
    // Not recursive: where mkdir(2) says ENOENT though the parent is there, as in /proc, that never ends (Node 20.20).
    for (const missing of missingFolders(path)) mkdirSync(missing);
    return true;
  } catch (cause) {
    const { account, areKept } = privileges;
    if (account === undefined || !areKept || !privileges.raised(() => maySafelyStand(path, projectDir))) {
      throw explain(path, account?.name ?? account?.uid, cause as NodeJS.ErrnoException);
    }
    privileges.raised(() => {
      for (const missing of missingFolders(path)) {
        mkdirSync(missing, { mode: 0o755 });
        chownSync(missing, account.uid, account.gid);
      }
    });
    return true;
  }
}

// Private

/** Places for the data of sites (Filesystem Hierarchy Standard 3.0, 3.12, 3.17), from which nothing is read by root. */
const forData: readonly string[] = ['/srv', '/var/www', '/mnt', '/media'];

/**
 * The project says where. Made by root at any place, a folder of the user's in /etc/systemd/system, say, would be all rights;
 * and whoever can turn a link on the way leads root elsewhere.
 */
function maySafelyStand(path: string, projectDir: string): boolean {
  const allowed = [projectDir, ...forData];
  return (
    allowed.some((folder) => path.startsWith(`${folder}${sep}`)) &&
    findForeignEntry(firstExisting(path)) === undefined
  );
}

function firstExisting(path: string): string {
  return isThere(path) || dirname(path) === path ? path : firstExisting(dirname(path));
}

/** The topmost first. */
function missingFolders(path: string): readonly string[] {
  return isThere(path) ? [] : [...missingFolders(dirname(path)), path];
}

function isThere(path: string): boolean {
  return statSync(path, { throwIfNoEntry: false }) !== undefined;
}

/** False too where this user may not look. */
function isFolder(path: string): boolean {
  try {
    return statSync(path).isDirectory();
  } catch {
    return false;
  }
}

function explain(
  path: string,
  user: string | number | undefined,
  cause: NodeJS.ErrnoException,
): EasyserveError {
  const sentence = `The application writes to ${path}, which is missing and cannot be made (${cause.code}).`;
  const hint =
    cause.code === 'EROFS'
      ? 'a service may write to what its unit names (sudo easyserve install), a container to its volumes'
      : `sudo install -d -o ${user ?? '$USER'} "${path}"`;
  return new EasyserveError('folder-not-made', ExitCode.application, sentence, { hint, cause });
}

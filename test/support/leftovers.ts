import { type Dirent, existsSync, readdirSync } from 'node:fs';
import { basename, dirname, join, sep } from 'node:path';

/** Where an instance of the project puts its sockets: inside, or beside a symbolic link (src/control/state-folder). */
export function stateFoldersOf(dir: string): string[] {
  return [join(dir, '.easyserve'), join(dirname(dir), `.easyserve-${basename(dir)}`)];
}

/**
 * What an instance that has ended must not leave: sockets and pid files anywhere below the folders, and anything in a
 * `run` or `spool` folder of a state folder (src/control/state-folder).
 */
export function leftoversOf(folders: readonly string[]): string[] {
  const found = folders
    .filter((folder) => existsSync(folder))
    .flatMap((folder) => readdirSync(folder, { recursive: true, withFileTypes: true }))
    .filter(isLeftover)
    .map((entry) => join(entry.parentPath, entry.name));
  return [...new Set(found)];
}

function isLeftover(entry: Dirent): boolean {
  if (entry.isDirectory()) return false;
  if (entry.isSocket() || entry.name.endsWith('.pid') || entry.name.endsWith('.sock')) return true;
  const folders = entry.parentPath.split(sep);
  const state = folders.findIndex((name) => name.startsWith('.easyserve'));
  return state >= 0 && ['run', 'spool'].includes(folders[state + 1] ?? '');
}

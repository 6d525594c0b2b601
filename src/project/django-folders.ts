import { readdir, realpath } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { isFile } from './path-checks.js';

/** The folders in a folder that have a manage.py. */
export async function listDjangoFolders(folder: string): Promise<string[]> {
  const folders: string[] = [];
  for (const entry of (await readdir(folder)).sort()) {
    const each = join(folder, entry);
    if (entry.startsWith('.') || entry === 'node_modules') continue;
    if (!(await hasManage(each)) || (await isFile(join(each, 'pyvenv.cfg')))) continue;
    folders.push(await realpath(each));
  }
  return [...new Set(folders)];
}

export function hasManage(folder: string): Promise<boolean> {
  return isFile(join(folder, 'manage.py'));
}

/** The folder above with manage.py, of a package of a Django project; undefined for any other folder. */
export async function findProjectAbove(folder: string): Promise<string | undefined> {
  const above = dirname(folder);
  if (await hasManage(folder)) return undefined;
  const isPackage =
    (await isFile(join(folder, '__init__.py'))) || (await isFile(join(folder, 'settings.py')));
  return isPackage && (await hasManage(above)) ? above : undefined;
}

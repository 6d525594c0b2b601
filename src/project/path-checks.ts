import { constants, type Stats } from 'node:fs';
import { access, stat } from 'node:fs/promises';

/** What is at a path, symbolic links followed. All of them say no where nothing is, or where looking is not allowed. */

export async function exists(path: string): Promise<boolean> {
  return (await look(path)) !== undefined;
}

export async function isFile(path: string): Promise<boolean> {
  return (await look(path))?.isFile() ?? false;
}

export async function isFolder(path: string): Promise<boolean> {
  return (await look(path))?.isDirectory() ?? false;
}

/** Whether it is a file that this user may run. */
export async function isExecutable(path: string): Promise<boolean> {
  const mayRun = await access(path, constants.X_OK).then(
    () => true,
    () => false,
  );
  return mayRun && isFile(path);
}

function look(path: string): Promise<Stats | undefined> {
  return stat(path).catch(() => undefined);
}

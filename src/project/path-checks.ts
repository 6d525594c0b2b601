import type { Stats } from 'node:fs';
import { stat } from 'node:fs/promises';

/** What stands at a path, links followed. What is not there, or may not be looked at, is none of it. */

export async function exists(path: string): Promise<boolean> {
  return (await look(path)) !== undefined;
}

export async function isFile(path: string): Promise<boolean> {
  return (await look(path))?.isFile() ?? false;
}

export async function isFolder(path: string): Promise<boolean> {
  return (await look(path))?.isDirectory() ?? false;
}

function look(path: string): Promise<Stats | undefined> {
  return stat(path).catch(() => undefined);
}

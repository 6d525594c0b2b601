import { readdir, rm } from 'node:fs/promises';
import { join } from 'node:path';

/**
 * Removes the sockets and spooled bodies of a worker that died: their names begin with its pid. Called by launcher.
 */
export async function removeLeftovers(pid: number, folders: readonly string[]): Promise<void> {
  for (const folder of folders) {
    for (const name of await listIfThere(folder)) {
      if (name.startsWith(`${pid}-`)) await rm(join(folder, name), { force: true });
    }
  }
}

/** When the whole instance stops, its folders may be gone before the last worker is. */
async function listIfThere(folder: string): Promise<string[]> {
  try {
    return await readdir(folder);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return [];
    throw error;
  }
}

import { readdir, rm } from 'node:fs/promises';
import { join } from 'node:path';

/**
 * Removes the sockets and spooled bodies of a worker that died: their names begin with its pid. Called by launcher.
 */
export async function removeLeftovers(pid: number, folders: readonly string[]): Promise<void> {
  for (const folder of folders) {
    for (const name of await readdir(folder)) {
      if (name.startsWith(`${pid}-`)) await rm(join(folder, name), { force: true });
    }
  }
}

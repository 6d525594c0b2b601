import { access, constants } from 'node:fs/promises';

/**
 * The first of the files that this process may not read. Called by open-first when root has become another user: Node in
 * /root/.nvm, say, is out of his reach, and workers and application processes would fail later with less to say.
 */
export async function findUnreadable(files: readonly string[]): Promise<string | undefined> {
  for (const file of files) {
    try {
      await access(file, constants.R_OK);
    } catch {
      return file; // whatever the reason, it is the file to name
    }
  }
  return undefined;
}

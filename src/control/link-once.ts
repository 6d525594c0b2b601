import { link } from 'node:fs/promises';

/**
 * Gives a file a second name, where nothing has that name yet: of several processes one succeeds, and what it has written is
 * there whole from the first moment (link(2)). Used by the locks: control/instance-lock and tls/folder-lock.
 *
 * False where the name is taken. Throws what else the file system says.
 */
export async function linkOnce(from: string, to: string): Promise<boolean> {
  try {
    await link(from, to);
    return true;
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'EEXIST') return false;
    throw error;
  }
}

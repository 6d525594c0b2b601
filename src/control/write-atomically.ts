import { randomUUID } from 'node:crypto';
import { link, open, rename, rm } from 'node:fs/promises';
import { dirname } from 'node:path';

/**
 * Replaces a file as a whole: a reader, or the machine after a power failure, finds the old content or the new one. Mode 0600.
 * Rejects with what the file system says (EACCES, ENOSPC); the old content is still there then.
 */
export async function writeAtomically(path: string, content: string): Promise<void> {
  await withDraft(path, content, (draft) => rename(draft, path));
  await syncFolder(dirname(path));
}

/**
 * The same where nothing has that name yet: of several processes one succeeds (link(2)). Resolves with false where the name is
 * taken. Rejects with what the file system says.
 */
export async function createAtomically(path: string, content: string): Promise<boolean> {
  try {
    await withDraft(path, content, (draft) => link(draft, path));
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'EEXIST') return false;
    throw error;
  }
  await syncFolder(dirname(path));
  return true;
}

// Private

async function withDraft(
  path: string,
  content: string,
  publish: (draft: string) => Promise<void>,
): Promise<void> {
  const draft = `${path}.${randomUUID()}.new`;
  try {
    await writeSurely(draft, content);
    await publish(draft);
  } finally {
    await rm(draft, { force: true });
  }
}

/** fsync before the file gets its name: otherwise the name may outlive a loss of power, and its content not. */
async function writeSurely(path: string, content: string): Promise<void> {
  const file = await open(path, 'wx', 0o600);
  try {
    await file.writeFile(content);
    await file.sync();
  } finally {
    await file.close();
  }
}

/** The new name itself is on the disk only when its folder is (fsync(2)). */
async function syncFolder(path: string): Promise<void> {
  const folder = await open(path, 'r');
  try {
    await folder.sync();
  } finally {
    await folder.close();
  }
}

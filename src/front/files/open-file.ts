import { constants, type Stats } from 'node:fs';
import { type FileHandle, open, realpath } from 'node:fs/promises';
import { setTimeout as pause } from 'node:timers/promises';

export interface OpenedFile {
  readonly path: string;
  readonly handle: FileHandle;
  readonly stats: Stats;
}

// O_NONBLOCK: opening a FIFO would otherwise hold a thread of libuv's pool until someone writes to it.
// O_NOFOLLOW: callers have resolved the path; a link that appears at its end since then is not followed (ELOOP).
const openFlags = constants.O_RDONLY | constants.O_NONBLOCK | constants.O_NOFOLLOW;

/** A file that was not written to for this long counts as complete. */
const quietMs = 200;
const lookEveryMs = 20;
/** How long openSettled waits for a missing file, and for one that is being written. */
const missingForMs = 500;
const writtenForMs = 5000;

/**
 * Opens a file and says what was opened, so that what is announced is what is sent, whatever happens to the name. Rejects with
 * ENOENT for anything that isn't a regular file. The caller closes the handle.
 */
export async function openRegularFile(path: string): Promise<OpenedFile> {
  const handle = await open(path, openFlags);
  try {
    const stats = await handle.stat();
    if (!stats.isFile()) {
      throw Object.assign(new Error(`${path} is not a regular file`), { code: 'ENOENT' });
    }
    return { path, handle, stats };
  } catch (error) {
    await handle.close();
    throw error;
  }
}

/**
 * The same for a real path below a folder that others write to: no part of it may have become a symlink since it was resolved
 * (O_NOFOLLOW is about the last name only). Rejects with ELOOP then.
 */
export async function openRealFile(path: string): Promise<OpenedFile> {
  const opened = await openRegularFile(path);
  if ((await realpath(path).catch(() => undefined)) === path) return opened;
  await opened.handle.close();
  throw Object.assign(new Error(`a symbolic link has come into ${path}`), { code: 'ELOOP' });
}

/**
 * Opens a file that has changed since it was last seen, once nobody writes to it any more.
 *
 * collectstatic, which runs at each reload while the old release serves, deletes a file and writes it anew: for a moment it is
 * missing, and then it is incomplete, and a browser would keep the incomplete file for a year under a hashed name.
 *
 * Rejects like `open`, a little later. A file that is written all the time is opened as it is in the end.
 */
export async function openSettled(path: string, open = openRegularFile): Promise<OpenedFile> {
  const startedAtMs = performance.now();
  for (;;) {
    const waitedMs = performance.now() - startedAtMs;
    try {
      const opened = await open(path);
      if (isQuiet(opened) || waitedMs > writtenForMs) return opened;
      await opened.handle.close();
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== 'ENOENT' || waitedMs > missingForMs) throw error;
    }
    await pause(lookEveryMs);
  }
}

// Private

/** A time in the future is that of another machine's clock, or was set on purpose: it says nothing about writing. */
function isQuiet({ stats }: OpenedFile): boolean {
  return Math.abs(Date.now() - stats.mtimeMs) > quietMs;
}

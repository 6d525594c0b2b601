import { setTimeout as pause } from 'node:timers/promises';
import { type OpenedFile, openRegularFile } from './regular-file.js';

/** Somebody who writes a file writes more of it within this time. */
const quietMs = 200;
const lookEveryMs = 20;
/** From the moment when the file is first asked for. */
const missingForMs = 500;
const writtenForMs = 5000;

/**
 * Opens a file that has changed since it was last seen, once nobody writes to it any more. Used by StaticBodies.
 *
 * collectstatic, which runs at each reload while the old release serves, deletes a file and writes it anew: for a moment
 * it is missing, and then it is a part of itself, which a browser would keep for a year under a hashed name.
 *
 * Rejects like openRegularFile, a little later. One that is written all the time is opened as it is in the end.
 */
export async function openSettled(path: string): Promise<OpenedFile> {
  const startedAtMs = performance.now();
  for (;;) {
    const waitedMs = performance.now() - startedAtMs;
    try {
      const opened = await openRegularFile(path);
      if (isQuiet(opened) || waitedMs > writtenForMs) return opened;
      await opened.handle.close();
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== 'ENOENT' || waitedMs > missingForMs) throw error;
    }
    await pause(lookEveryMs);
  }
}

/** A time in the future is that of another machine's clock, or was set on purpose: it tells nothing. */
function isQuiet({ stats }: OpenedFile): boolean {
  return Math.abs(Date.now() - stats.mtimeMs) > quietMs;
}

import { FSWatcher } from 'chokidar';
import type { Clock } from '../../contracts/clock.js';

export interface FolderWatchOptions {
  /** Absolute and real: no symbolic links on the way. */
  readonly folders: Iterable<string>;
  /** Something happened to `name` in `folder`. Without a name: the system does not say to what. */
  readonly onEvent: (folder: string, name: string | undefined) => void;
  readonly onError: (error: unknown) => void;
  readonly clock: Clock;
}

/** The watch of some folders; it ends with close(). */
export interface FolderWatch {
  close(): Promise<void>;
}

/** chokidar says `ready` within milliseconds. */
const readyDeadlineMs = 5000;

/**
 * Tells which names in some folders something happens to. Resolves when the watch stands; nothing is thrown.
 *
 * Raw events, and not those that chokidar makes of them: of two within a few milliseconds it drops the second.
 */
export async function watchFolders(options: FolderWatchOptions): Promise<FolderWatch> {
  const { folders, onEvent, onError, clock } = options;
  // atomic would merge events, which is the caller's debounce, and ignore a folder whose name ends in a tilde.
  const watcher = new NamesWatcher({ followSymlinks: false, atomic: false });
  watcher.on('raw', (_event, name, details) => {
    const { watchedPath } = details as { watchedPath: string };
    onEvent(watchedPath, typeof name === 'string' ? name : undefined);
  });
  watcher.on('error', onError);
  await new Promise<void>((resolve) => {
    const cancel = clock.after(readyDeadlineMs, () => {
      onError(new Error(`not ready within ${readyDeadlineMs} ms`));
      resolve();
    });
    watcher.once('ready', () => {
      cancel();
      resolve();
    });
    watcher.add([...folders]);
  });
  return watcher;
}

// Private

/**
 * chokidar lists a watched folder, and looks at each entry, after every event in it: 85 times a second while a log file
 * grows there. Names are all that is wanted here, so there is nothing to read; its `_handleRead` (chokidar 5, handler.js)
 * ends where this returns undefined. test/work counts the listings.
 */
class NamesWatcher extends FSWatcher {
  override _readdirp(): undefined {
    return undefined;
  }
}

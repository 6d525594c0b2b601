import { createHash } from 'node:crypto';
import { constants } from 'node:fs';
import { type FileHandle, open, stat } from 'node:fs/promises';
import { basename, resolve } from 'node:path';
import { type Clock, systemClock } from '../../contracts/clock.js';
import type { Log } from '../../log/log.js';
import { type FolderWatch, watchFolders } from './folder-watch.js';
import { addTrail, type Trail } from './symlink-trail.js';

export interface SettingsWatchOptions {
  /** Where the files are; may be a path through symbolic links. */
  readonly folder: string;
  /** Names in `folder`, or one path of its own: `file`. None of them has to exist. */
  readonly fileNames?: readonly string[];
  readonly file?: string | undefined;
  /** Called with the paths whose content changed, appeared or went; never twice at the same time. */
  readonly onChange: (changed: readonly string[]) => void | Promise<void>;
  /** Quiet time after the last event. Default: 200. */
  readonly debounceMs?: number;
  readonly log: Log;
  readonly clock?: Clock;
}

/** Links that are turned faster than they can be followed are caught by their next event. */
const maxRounds = 5;
/** Settings files have a few kilobytes; of anything larger, size and time of change stand for the rest. */
const maxReadBytes = 1024 * 1024;

/**
 * Watches the settings files. Resolves when everything is watched.
 *
 * Nothing that goes wrong here is thrown: it is logged, and SIGHUP remains.
 */
export function watchSettings(options: SettingsWatchOptions): Promise<SettingsWatch> {
  return new SettingsWatch(options).begin();
}

/**
 * Folders are watched, not files: the inode of a file that is replaced is not the one that was watched. What happens in them
 * only tells that it is time to look; whether something changed, the content decides.
 *
 *   event of a name on the trail ── debounce ── follow the links anew ── compare contents ── onChange
 */
export class SettingsWatch {
  readonly #files: readonly string[];
  readonly #onChange: SettingsWatchOptions['onChange'];
  readonly #debounceMs: number;
  readonly #log: Log;
  readonly #clock: Clock;
  #known: ReadonlyMap<string, string> = new Map();
  #watch: FolderWatch | undefined;
  #trail: Trail = new Map();
  /** Folders with their inodes: one that was replaced under its name has to be watched anew. */
  #watched = '';
  #cancelDebounce: (() => void) | undefined;
  /** One check at a time, each with the call of onChange that it leads to. */
  #checks: Promise<void> = Promise.resolve();
  #following: Promise<void> | undefined;
  #isClosed = false;

  constructor(options: SettingsWatchOptions) {
    const names = options.file === undefined ? (options.fileNames ?? []) : [options.file];
    this.#files = names.map((name) => resolve(options.folder, name));
    this.#onChange = options.onChange;
    this.#debounceMs = options.debounceMs ?? 200;
    this.#log = options.log;
    this.#clock = options.clock ?? systemClock;
  }

  async begin(): Promise<this> {
    this.#known = await this.#readAll();
    await this.#follow();
    // What changed while the watch was being set up made no event.
    if (this.#changesTo(await this.#readAll()).length > 0) this.#checkSoon();
    return this;
  }

  /** No call of onChange begins after this. One that runs is not waited for: it may be what closes us. */
  async close(): Promise<void> {
    this.#isClosed = true;
    this.#cancelDebounce?.();
    await this.#following;
    await this.#watch?.close();
  }

  // Private

  #checkSoon(): void {
    if (this.#isClosed) return;
    this.#cancelDebounce?.();
    this.#cancelDebounce = this.#clock.after(this.#debounceMs, () => {
      this.#checks = this.#checks.then(() => this.#check());
    });
  }

  async #check(): Promise<void> {
    await this.#follow();
    const now = await this.#readAll();
    const changed = this.#changesTo(now);
    this.#known = now;
    if (this.#isClosed) return;
    if (changed.length === 0) {
      this.#log.debug('settings-untouched', 'a settings file was written with the content that it had');
      return;
    }
    try {
      await this.#onChange(changed);
    } catch (error) {
      this.#log.error('settings-change-failed', 'a change of the settings file could not be handled', {
        error,
      });
    }
  }

  #changesTo(now: ReadonlyMap<string, string>): string[] {
    return this.#files.filter((file) => now.get(file) !== this.#known.get(file));
  }

  async #readAll(): Promise<Map<string, string>> {
    const prints = new Map<string, string>();
    for (const file of this.#files) prints.set(file, await fingerprint(file));
    return prints;
  }

  async #follow(): Promise<void> {
    this.#following = this.#followTrail();
    await this.#following;
  }

  /** Watches the folders that matter now; they are others after a link was turned or a folder was replaced. */
  async #followTrail(): Promise<void> {
    for (let round = 0; round < maxRounds && !this.#isClosed; round += 1) {
      const trail: Trail = new Map();
      for (const file of this.#files) await addTrail(trail, file);
      const watched = await describeFolders(trail.keys());
      this.#trail = trail;
      if (watched === this.#watched) return;
      this.#watched = watched;
      // Closed first: chokidar shares its handles by path, and would give the new watch the old inode.
      await this.#watch?.close();
      this.#watch = await watchFolders({
        folders: trail.keys(),
        onEvent: (folder, name) => this.#onEvent(folder, name),
        onError: (error) => this.#warn(error),
        clock: this.#clock,
      });
      // Once more: a link that was turned before the new watch stood made no event.
    }
  }

  /** A busy neighbour (SQLite's journal comes and goes with every write) must not keep the debounce from ending. */
  #onEvent(folder: string, name: string | undefined): void {
    const names = this.#trail.get(folder);
    // Its own name: the folder was moved or deleted.
    const concernsUs =
      names === undefined || name === undefined || names.has(basename(name)) || name === basename(folder);
    if (concernsUs) this.#checkSoon();
  }

  #warn(error: unknown): void {
    const reason = error instanceof Error ? error.message : String(error);
    this.#log.warn('settings-watch-failed', 'changes of the settings file will not be noticed', {
      reason,
      hint: 'easyserve reload, or SIGHUP',
    });
  }
}

/** The settings watch, on and off as the setting `watch` wants it. Owned by launcher. */
export class WatchSwitch {
  readonly #open: () => Promise<SettingsWatch>;
  #watch: SettingsWatch | undefined;
  /** The turn under way; the next one waits for it. */
  #turn: Promise<void> = Promise.resolve();

  constructor(open: () => Promise<SettingsWatch>) {
    this.#open = open;
  }

  /** Resolves when it is so. */
  turn(isOn: boolean): Promise<void> {
    this.#turn = this.#turn.then(() => (isOn ? this.#begin() : this.#end()));
    return this.#turn;
  }

  async #begin(): Promise<void> {
    this.#watch ??= await this.#open();
  }

  async #end(): Promise<void> {
    const watch = this.#watch;
    this.#watch = undefined;
    await watch?.close();
  }
}

// Private

/** Equal for equal content, whichever file holds it. */
async function fingerprint(path: string): Promise<string> {
  let file: FileHandle | undefined;
  try {
    // O_NONBLOCK: opening a named pipe would wait for its writer (fifo(7)).
    file = await open(path, constants.O_RDONLY | constants.O_NONBLOCK);
    const { size, mtimeMs } = await file.stat();
    const hash = createHash('sha256');
    const content = Buffer.alloc(Math.min(size, maxReadBytes));
    const { bytesRead } = await file.read(content, 0, content.length, 0);
    hash.update(content.subarray(0, bytesRead));
    if (size > maxReadBytes) hash.update(`${size} ${mtimeMs}`);
    return hash.digest('hex');
  } catch (error) {
    return `unreadable: ${(error as NodeJS.ErrnoException).code}`;
  } finally {
    await file?.close();
  }
}

async function describeFolders(folders: Iterable<string>): Promise<string> {
  const parts: string[] = [];
  for (const folder of folders) {
    const found = await stat(folder).catch(() => undefined);
    parts.push(`${folder} ${found?.dev}:${found?.ino}`);
  }
  return parts.sort().join('\n');
}

import { stat } from 'node:fs/promises';
import { basename, join, resolve } from 'node:path';
import type { FSWatcher } from 'chokidar';
import { watch } from 'chokidar';
import type { Clock } from '../../contracts/clock.js';
import { systemClock } from '../../contracts/clock.js';
import type { Log } from '../../log/log.js';
import { fingerprint } from './fingerprint.js';
import type { Trail } from './symlink-trail.js';
import { addTrail } from './symlink-trail.js';

export interface SettingsWatchOptions {
  /** Where the files are; may be a path through symbolic links. */
  readonly folder: string;
  /** Names in `folder`, or one path of its own: `file`. None of them has to exist. */
  readonly fileNames?: readonly string[];
  readonly file?: string | undefined;
  /** Called with the paths whose content changed, appeared or went; never twice at the same time. */
  readonly onChange: (changed: readonly string[]) => void | Promise<void>;
  /** Quiet time after the last event. */
  readonly debounceMs?: number;
  readonly log: Log;
  readonly clock?: Clock;
}

/** chokidar says `ready` within milliseconds. */
const readyDeadlineMs = 5000;
/** Links that are turned faster than they can be followed are caught by their next event. */
const maxRounds = 5;

/**
 * Watches the settings files. Used by the launcher, which reloads on a change. Resolves when everything is watched.
 *
 * Nothing that goes wrong here is thrown: it is logged, and SIGHUP remains.
 */
export async function watchSettings(options: SettingsWatchOptions): Promise<SettingsWatch> {
  const settingsWatch = new SettingsWatch(options);
  await settingsWatch.begin();
  return settingsWatch;
}

/**
 * Folders are watched, not files: the inode of a file that is replaced is not the one that was watched. What happens in them
 * only tells that it is time to look; whether something changed, the content decides.
 */
export class SettingsWatch {
  readonly #files: readonly string[];
  readonly #onChange: SettingsWatchOptions['onChange'];
  readonly #debounceMs: number;
  readonly #log: Log;
  readonly #clock: Clock;
  #known = new Map<string, string>();
  #watcher: FSWatcher | undefined;
  #trail: Trail = new Map();
  /** Folders with their inodes: one that was replaced under its name has to be watched anew. */
  #watched = '';
  #cancelDebounce: (() => void) | undefined;
  #checking: Promise<void> | undefined;
  #following: Promise<void> | undefined;
  #isStale = false;
  #isClosed = false;

  constructor(options: SettingsWatchOptions) {
    const names = options.file === undefined ? (options.fileNames ?? []) : [options.file];
    this.#files = names.map((name) => resolve(options.folder, name));
    this.#onChange = options.onChange;
    this.#debounceMs = options.debounceMs ?? 200;
    this.#log = options.log;
    this.#clock = options.clock ?? systemClock;
  }

  async begin(): Promise<void> {
    this.#known = await this.#readAll();
    await this.#follow();
    // What changed while the watch was being set up made no event.
    if (this.#changesTo(await this.#readAll()).length > 0) this.#lookSoon();
  }

  /** No call of onChange begins after this. One that runs is not waited for: it may be what closes us. */
  async close(): Promise<void> {
    this.#isClosed = true;
    this.#cancelDebounce?.();
    await this.#following;
    await this.#watcher?.close();
  }

  #lookSoon(): void {
    if (this.#isClosed) return;
    this.#cancelDebounce?.();
    this.#cancelDebounce = this.#clock.after(this.#debounceMs, () => this.#look());
  }

  /** One look at a time; what happens during it is looked at afterwards. */
  #look(): void {
    if (this.#checking !== undefined) {
      this.#isStale = true;
      return;
    }
    this.#checking = this.#check().finally(() => {
      this.#checking = undefined;
      if (this.#isStale) this.#lookSoon();
      this.#isStale = false;
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
      // Closed first: chokidar shares its handles by path, and would give the new watcher the old inode.
      await this.#watcher?.close();
      this.#watcher = await this.#watch([...trail.keys()]);
      // Once more: a link that was turned before the new watch stood made no event.
    }
  }

  async #watch(folders: readonly string[]): Promise<FSWatcher> {
    const wanted = new Set([...folders, ...this.#paths()]);
    const watcher = watch([...folders], {
      depth: 0,
      ignoreInitial: true,
      followSymlinks: false,
      // Its event merging is ours (debounceMs), and it would ignore a folder whose name ends in a tilde.
      atomic: false,
      ignored: (path) => !wanted.has(path),
    });
    // Not the events that chokidar makes of the raw ones: of two within a few milliseconds it drops the second.
    watcher.on('raw', (_event, name, details) => {
      if (this.#concerns(name, (details as { watchedPath?: string }).watchedPath)) this.#lookSoon();
    });
    watcher.on('error', (error) => this.#warn(error));
    await new Promise<void>((resolve) => {
      const cancel = this.#clock.after(readyDeadlineMs, () => {
        this.#warn(new Error(`not ready within ${readyDeadlineMs} ms`));
        resolve();
      });
      watcher.once('ready', () => {
        cancel();
        resolve();
      });
    });
    return watcher;
  }

  *#paths(): Iterable<string> {
    for (const [folder, names] of this.#trail) {
      for (const name of names) yield join(folder, name);
    }
  }

  /** A busy neighbour (SQLite's journal comes and goes with every write) must not keep the debounce from ending. */
  #concerns(name: string | null | undefined, watchedPath: string | undefined): boolean {
    const names = watchedPath === undefined ? undefined : this.#trail.get(watchedPath);
    if (names === undefined || typeof name !== 'string') return true;
    // The folder's own name: it was moved or deleted.
    return names.has(basename(name)) || name === basename(watchedPath ?? '');
  }

  #warn(error: unknown): void {
    const reason = error instanceof Error ? error.message : String(error);
    this.#log.warn('settings-watch-failed', 'changes of the settings file will not be noticed', {
      reason,
      hint: 'easyserve reload, or SIGHUP',
    });
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

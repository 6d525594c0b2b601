import type { Clock } from '../../contracts/clock.js';
import { Semaphore } from '../../contracts/semaphore.js';
import { type FilePolicy, revalidated } from './file-policy.js';
import type { MemoryBudget } from './memory-budget.js';
import { type OpenedFile, openRealFile, openSettled } from './open-file.js';
import { siblingNames, siblingsOf } from './siblings.js';
import { StaticBodies, type StaticEntries, type StaticOptions } from './static-bodies.js';
import { type DiskFile, StaticFile, toDiskFile } from './static-file.js';
import { lookInside } from './walk-folder.js';

/** A file that was looked at within this time is taken to be as it was. */
const FRESH_MS = 1000;
/** Half of libuv's pool, so that a flood of invented names leaves the rest for reading files. */
const looksAtOnce = 2;
/** What is remembered of files, a few kilobytes each; those that were not asked for lately are looked at anew. */
const maxEntries = 4096;

export interface LiveFolderPlace {
  /** Below which address the folder is; default `/`. */
  readonly prefix?: string;
  /** Default: all are asked for again. */
  readonly policyOf?: (below: string) => FilePolicy;
  /** Of the bodies in memory, where others share it. */
  readonly budget?: MemoryBudget;
}

interface Entry {
  readonly file: StaticFile;
  /** Path, size and time of change of the file and its siblings. */
  readonly facts: string;
  readonly lookedAtMs: number;
}

/**
 * The files of a folder as they are now, because someone who edits or adds a page wants to see it. Each is looked
 * at when it is asked for, at most once a second.
 *
 * Not a table that a watch keeps up to date: a large folder needs more watches than a system gives, and folders shared
 * with containers or over the network report no changes at all. A symlink as root is followed at each look.
 */
export class LiveFolder implements StaticEntries {
  readonly options: StaticOptions;
  readonly bodies: StaticBodies;
  readonly #root: string;
  readonly #clock: Clock;
  readonly #prefix: string;
  readonly #policyOf: (below: string) => FilePolicy;
  readonly #semaphore = new Semaphore(looksAtOnce);
  /** By path below the root. */
  readonly #entries = new Map<string, Entry>();
  readonly #looks = new Map<string, Promise<StaticFile | 'folder' | undefined>>();

  constructor(root: string, options: StaticOptions, clock: Clock, place: LiveFolderPlace = {}) {
    this.#root = root;
    this.#prefix = place.prefix ?? '/';
    this.#policyOf = place.policyOf ?? (() => revalidated);
    this.options = options;
    this.#clock = clock;
    this.bodies = new StaticBodies(this, place.budget);
  }

  /** `below` has no dot segments (decodeUrlPath). Rejects with the file system's error when it can't be read. */
  async find(below: string): Promise<StaticFile | 'folder' | undefined> {
    const entry = this.#entries.get(below);
    if (entry !== undefined && this.#clock.now() - entry.lookedAtMs < FRESH_MS) return entry.file;
    let look = this.#looks.get(below);
    if (look === undefined) {
      look = this.#look(below).finally(() => this.#looks.delete(below));
      this.#looks.set(below, look);
    }
    return look;
  }

  /** Others write to the folder while it is served. */
  open(path: string): Promise<OpenedFile> {
    return openRealFile(path);
  }

  refresh(file: StaticFile, now: Omit<DiskFile, 'path'>): StaticFile {
    const below = file.url.slice(this.#prefix.length);
    const disk = toDiskFile(file.disk.path, now);
    // Its siblings are of the old content; the next look finds them as they are then.
    return this.#put(below, disk, new Map([[below, disk]]));
  }

  // Private

  async #look(below: string): Promise<StaticFile | 'folder' | undefined> {
    const disk = await this.#lookInside(below);
    const known = this.#entries.get(below);
    if (disk === undefined || disk === 'folder') {
      this.#entries.delete(below);
      return disk;
    }
    const found = await this.#withSiblings(below, disk);
    if (known !== undefined && known.facts === describeFacts(found)) {
      this.#remember(below, { ...known, lookedAtMs: this.#clock.now() });
      return known.file;
    }
    // Changed or new: it may be in the middle of being written.
    const { handle, stats } = await openSettled(disk.path, openRealFile);
    await handle.close();
    const settled = toDiskFile(disk.path, stats);
    return this.#put(below, settled, found.set(below, settled));
  }

  async #withSiblings(below: string, disk: DiskFile): Promise<Map<string, DiskFile>> {
    const names = siblingNames(below);
    const siblings = await Promise.all(names.map((name) => this.#lookInside(name)));
    const found = new Map([[below, disk]]);
    names.forEach((name, at) => {
      const sibling = siblings[at];
      if (sibling !== undefined && sibling !== 'folder') found.set(name, sibling);
    });
    return found;
  }

  #lookInside(below: string): Promise<DiskFile | 'folder' | undefined> {
    return this.#semaphore.run(() => lookInside(this.#root, below));
  }

  #put(below: string, disk: DiskFile, found: ReadonlyMap<string, DiskFile>): StaticFile {
    const siblings = siblingsOf(below, disk, found, { isImmutable: false });
    const file = new StaticFile(this.#prefix + below, disk, {
      policy: this.#policyOf(below),
      siblings,
      compression: this.options,
    });
    this.#remember(below, { file, facts: describeFacts(found), lookedAtMs: this.#clock.now() });
    return file;
  }

  /** Last of all, so that the first is the one that was looked at longest ago. */
  #remember(below: string, entry: Entry): void {
    this.#entries.delete(below);
    this.#entries.set(below, entry);
    if (this.#entries.size <= maxEntries) return;
    const [oldest] = this.#entries.keys();
    if (oldest !== undefined) this.#entries.delete(oldest);
  }
}

// Private

function describeFacts(found: ReadonlyMap<string, DiskFile>): string {
  return [...found.values()].map(({ path, size, mtimeMs }) => `${path} ${size} ${mtimeMs}`).join('\n');
}

import { createHash } from 'node:crypto';
import { mkdirSync, readdirSync, readFileSync, realpathSync, rmSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { orElse } from '../../contracts/or-else.js';
import { writeAtomically } from '../../control/write-atomically.js';
import { findForeignHand } from '../../settings/path-entries.js';

/** How an entry of the file system was before it was changed. */
export interface FormerEntry {
  readonly path: string;
  readonly uid: number;
  readonly gid: number;
  readonly mode: number;
}

/** Everything that `easyserve adopt` has changed, so that `easyserve disown` changes it back. */
export interface AdoptionRecord {
  /** As the person named it. */
  readonly projectDir: string;
  /** Symbolic links resolved. */
  readonly root: string;
  readonly user: string;
  readonly uid: number;
  readonly gid: number;
  /** The user was made, and its home. */
  readonly isUserOwn: boolean;
  readonly home: string | undefined;
  /** Entries whose group or mode was changed. */
  readonly entries: readonly FormerEntry[];
  /** Folders and files that were given to the user, with all that is in them. */
  readonly given: readonly FormerEntry[];
  /** What there was in them that was not wholly root's. */
  readonly exceptions: readonly FormerEntry[];
  /** Folders that were not there. */
  readonly created: readonly string[];
}

/** Root's own; the state of system services (FHS section 5.8). */
const usualFolder = '/var/lib/easyserve/adopted';

/** The records of this machine. Everything happens as root. */
export class AdoptionRecords {
  readonly #folder: string;

  constructor(folder = usualFolder) {
    this.#folder = folder;
  }

  /** By the name of the folder, or where it leads: a link like `current` stays adopted when it is turned. */
  find(projectDir: string): AdoptionRecord | undefined {
    const named = resolve(projectDir);
    const root = orElse(named, () => realpathSync(named));
    const records = this.#read();
    return records.find((each) => each.root === root) ?? records.find((each) => each.projectDir === named);
  }

  /** It is on the disk before what it says is done. Rejects with what the file system says. */
  async write(record: AdoptionRecord): Promise<void> {
    mkdirSync(this.#folder, { recursive: true, mode: 0o755 });
    await writeAtomically(this.#pathOf(record), `${JSON.stringify(record, undefined, 1)}\n`);
  }

  remove(record: AdoptionRecord): void {
    rmSync(this.#pathOf(record), { force: true });
  }

  /** Only what root alone can write is believed. */
  #read(): readonly AdoptionRecord[] {
    return orElse<readonly string[]>([], () => readdirSync(this.#folder))
      .filter((name) => name.endsWith('.json'))
      .map((name) => join(this.#folder, name))
      .filter((path) => findForeignHand(path) === undefined)
      .map((path) => JSON.parse(readFileSync(path, 'utf8')) as AdoptionRecord);
  }

  #pathOf({ root }: AdoptionRecord): string {
    return join(this.#folder, `${createHash('sha256').update(root).digest('hex').slice(0, 16)}.json`);
  }
}

/** The user that has adopted a folder of root's. */
export function findAdopter(projectDir: string): string | undefined {
  return new AdoptionRecords().find(projectDir)?.user;
}

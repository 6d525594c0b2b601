import type { FileHandle } from 'node:fs/promises';
import { promisify } from 'node:util';
import { brotliCompress, gzip, constants as zlib } from 'node:zlib';
import { Semaphore } from '../../contracts/semaphore.js';
import { isUnavailable } from './file-refusals.js';
import { MemoryBudget } from './memory-budget.js';
import { type OpenedFile, openSettled } from './open-file.js';
import type { DiskFile, Representation, StaticFile } from './static-file.js';

/** What an answer can be sent from. When the disk has changed, it is not the representation that was wanted. */
export interface StaticContent {
  readonly representation: Representation;
  readonly size: number;
  /** A handle is the receiver's to close. */
  readonly body: Buffer | FileHandle;
}

export interface StaticOptions {
  /** Files up to this size are kept in memory. */
  readonly memoryFileBytes: number;
  /** What all bodies in memory may take together. Default 64 MiB. */
  readonly memoryTotalBytes?: number;
  /** Whether files without compressed siblings are compressed; siblings are used in any case. */
  readonly compress: boolean;
  readonly compressMinBytes: number;
}

/** Who knows which files there are: StaticTable, or LiveFolder. */
export interface StaticEntries {
  readonly options: StaticOptions;
  /** Opens a file of an entry, as carefully as the place asks for. */
  open(path: string): Promise<OpenedFile>;
  /** The entry of a file that turned out to have changed. */
  refresh(file: StaticFile, now: Omit<DiskFile, 'path'>): StaticFile;
}

const defaultTotalBytes = 64 * 1024 * 1024;
/** Half of libuv's pool: the rest stays free for reading files. */
const compressionsAtOnce = 2;
/** A larger result isn't worth the client's unpacking; WhiteNoise draws the line there too. */
const worthwhileRatio = 0.95;

/**
 * Where the bytes of static files come from: memory, disk, or compression on demand.
 *
 * Each file is loaded or compressed at its first request, not at start, and only once when several requests want it at the same
 * time.
 */
export class StaticBodies {
  readonly #entries: StaticEntries;
  readonly #memoryFileBytes: number;
  readonly #budget: MemoryBudget;
  readonly #compressions = new Semaphore(compressionsAtOnce);
  readonly #loading = new Map<Representation, Promise<Buffer | undefined>>();

  /** `budget`: of several together. */
  constructor(entries: StaticEntries, budget = makeBudget(entries.options)) {
    this.#entries = entries;
    this.#memoryFileBytes = entries.options.memoryFileBytes;
    this.#budget = budget;
  }

  /** Rejects with the file system's error when the file can't be opened or read. */
  async fetch(file: StaticFile, wanted: Representation): Promise<StaticContent> {
    // If a compressed sibling can't be read, the original answers; if the original can't, opening it again says why.
    const exact = await this.#fetchExactly(file, wanted).catch((error: unknown) => {
      if (isUnavailable(error)) return undefined;
      throw error;
    });
    if (exact !== undefined) return exact;
    if (wanted === file.identity) return this.#openAsItIsNow(file);
    if (wanted.disk !== undefined) file.withdraw(wanted);
    return this.fetch(file, file.identity);
  }

  // Private

  /** Undefined when what is there is not what the table says, or when compressing saves nothing. */
  async #fetchExactly(file: StaticFile, wanted: Representation): Promise<StaticContent | undefined> {
    const body = await this.#inMemory(file, wanted);
    if (body !== undefined) return { representation: wanted, size: body.length, body };
    if (wanted.disk === undefined || wanted.disk.size <= this.#memoryFileBytes) return undefined;
    const opened = await this.#entries.open(wanted.disk.path);
    if (isUnchanged(wanted.disk, opened)) {
      return { representation: wanted, size: wanted.disk.size, body: opened.handle };
    }
    await opened.handle.close();
    return undefined;
  }

  /** From the handle, because what it says of the file stays true until it is closed, whatever happens to the name. */
  async #openAsItIsNow(file: StaticFile): Promise<StaticContent> {
    const { handle, stats } = await openSettled(file.disk.path, (path) => this.#entries.open(path));
    const current = this.#entries.refresh(file, stats);
    return { representation: current.identity, size: stats.size, body: handle };
  }

  /** Undefined for what doesn't belong in memory, and for what on disk is not what the table says. */
  async #inMemory(file: StaticFile, wanted: Representation): Promise<Buffer | undefined> {
    if (wanted.body !== undefined) return wanted.body;
    if (wanted.disk !== undefined && wanted.disk.size > this.#memoryFileBytes) return undefined;
    let loading = this.#loading.get(wanted);
    if (loading === undefined) {
      loading = this.#load(file, wanted).finally(() => this.#loading.delete(wanted));
      this.#loading.set(wanted, loading);
    }
    return loading;
  }

  async #load(file: StaticFile, wanted: Representation): Promise<Buffer | undefined> {
    const body = await (wanted.disk === undefined
      ? this.#compress(file, wanted)
      : this.#readUnchanged(wanted.disk));
    if (body !== undefined) this.#budget.hold(wanted, body);
    return body;
  }

  async #compress(file: StaticFile, wanted: Representation): Promise<Buffer | undefined> {
    return this.#compressions.run(async () => {
      const plain = (await this.#inMemory(file, file.identity)) ?? (await this.#readUnchanged(file.disk));
      if (plain === undefined) return undefined;
      const compressed = await compressThoroughly(wanted.encoding, plain);
      if (compressed.length <= plain.length * worthwhileRatio) return compressed;
      file.withdraw(wanted);
      return undefined;
    });
  }

  /** Undefined when the file is not what the table says. */
  async #readUnchanged(disk: DiskFile): Promise<Buffer | undefined> {
    const opened = await this.#entries.open(disk.path);
    try {
      if (!isUnchanged(disk, opened)) return undefined;
      const body = await opened.handle.readFile();
      return body.length === disk.size ? body : undefined;
    } finally {
      await opened.handle.close();
    }
  }
}

/** What all bodies in memory may take together. */
export function makeBudget({ memoryTotalBytes }: StaticOptions): MemoryBudget {
  return new MemoryBudget(memoryTotalBytes ?? defaultTotalBytes);
}

// Private

function isUnchanged(disk: DiskFile, { stats }: OpenedFile): boolean {
  return stats.size === disk.size && stats.mtimeMs === disk.mtimeMs;
}

/**
 * Once per file, so more thoroughly than a response of the application. Brotli 9 takes 30 ms for 500 kB of
 * JavaScript and 10 takes 200 ms for 7 % less; for that, compressed siblings can be made when building.
 */
function compressThoroughly(encoding: string, plain: Buffer): Promise<Buffer> {
  if (encoding === 'gzip') return promisify(gzip)(plain, { level: 9 });
  return promisify(brotliCompress)(plain, {
    params: { [zlib.BROTLI_PARAM_QUALITY]: 9, [zlib.BROTLI_PARAM_SIZE_HINT]: plain.length },
  });
}

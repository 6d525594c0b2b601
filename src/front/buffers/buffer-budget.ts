import { statfsSync } from 'node:fs';
import type { Clock } from '../../contracts/clock.js';

/** Of a file system, as statfs(2) tells it; free for an ordinary user. */
export interface DiskSpace {
  readonly totalBytes: number;
  readonly freeBytes: number;
}

export interface BufferLimits {
  readonly memoryBytes: number;
  /** Of the spool; what is free on its disk limits it in any case. */
  readonly diskBytes: number;
  /** Never taken from the disk. */
  readonly minFreePercent: number;
  /** Fronts that share the disk. */
  readonly fronts: number;
}

export interface BufferBudgetOptions {
  readonly clock: Clock;
  /** Undefined where it can't be told: then only the limit in bytes counts. */
  readonly readDiskSpace: () => DiskSpace | undefined;
}

/** How long what statfs(2) said is believed; what is written meanwhile is counted here. */
const DISK_SPACE_AGE_MS = 1000;
/** Of what is free, uploads and answers leave the other half to the rest of the machine. */
const SPOOL_SHARE = 0.5;

/**
 * What a front may hold for its clients, in memory and on disk: request bodies that wait for the application, and answers that
 * wait for their clients, over all connections. One object a Site.
 *
 * Who can do without takes memory (takeMemory), and goes to disk, is slowed or refused when there is none. What has to be held in any
 * case, a little for each connection, is charged; as long as that leads beyond the limit, clients that take nothing are cut early
 * (listen/slow-readers).
 */
export class BufferBudget {
  readonly #options: BufferBudgetOptions;
  #limits: BufferLimits = {
    memoryBytes: Number.MAX_SAFE_INTEGER,
    diskBytes: Number.MAX_SAFE_INTEGER,
    minFreePercent: 0,
    fronts: 1,
  };
  #memoryBytes = 0;
  #diskBytes = 0;
  #untakenBytes = 0;
  #disk: DiskSpace | undefined;
  #diskReadAtMs = Number.NEGATIVE_INFINITY;
  /** Taken since the disk was read. */
  #diskBytesSince = 0;
  readonly #waiting = new Set<() => void>();
  #isWaking = false;

  constructor(options: BufferBudgetOptions) {
    this.#options = options;
  }

  configure(limits: BufferLimits): void {
    this.#limits = limits;
  }

  /** With what connections have encrypted and not sent. */
  get memoryBytes(): number {
    return this.#memoryBytes + this.#untakenBytes;
  }

  get diskBytes(): number {
    return this.#diskBytes;
  }

  get isFull(): boolean {
    return this.memoryBytes >= this.#limits.memoryBytes;
  }

  /** Bytes that connections hold beside what is charged here, as they were last counted. */
  noteUntaken(bytes: number): void {
    this.#untakenBytes = bytes;
  }

  /** False: there is none left. */
  takeMemory(bytes: number): boolean {
    if (this.memoryBytes + bytes > this.#limits.memoryBytes) return false;
    this.#memoryBytes += bytes;
    return true;
  }

  /** For what has to be held in any case. */
  chargeMemory(bytes: number): void {
    this.#memoryBytes += bytes;
  }

  releaseMemory(bytes: number): void {
    this.#memoryBytes -= bytes;
    this.#wake();
  }

  /** How much more the spool may take now. */
  get diskBytesLeft(): number {
    const { diskBytes, minFreePercent, fronts } = this.#limits;
    const ofLimit = diskBytes - this.#diskBytes;
    const disk = this.#diskSpace();
    if (disk === undefined) return Math.max(0, ofLimit);
    const freeBytes = disk.freeBytes - this.#diskBytesSince;
    const ofShare = ((freeBytes + this.#diskBytes) * SPOOL_SHARE) / fronts - this.#diskBytes;
    const aboveFloor = (freeBytes - (disk.totalBytes * minFreePercent) / 100) / fronts;
    return Math.max(0, Math.floor(Math.min(ofLimit, ofShare, aboveFloor)));
  }

  /** False: the spool has no room for them. */
  takeDisk(bytes: number): boolean {
    if (bytes > this.diskBytesLeft) return false;
    this.#diskBytes += bytes;
    this.#diskBytesSince += bytes;
    return true;
  }

  /** The bytes are on the disk no more. */
  releaseDisk(bytes: number): void {
    this.#diskBytes -= bytes;
    this.#diskBytesSince -= bytes;
    this.#wake();
  }

  /** Calls back once, soon after something has been released. The answer cancels it. */
  onceReleased(callback: () => void): () => void {
    this.#waiting.add(callback);
    return () => this.#waiting.delete(callback);
  }

  // Private

  #diskSpace(): DiskSpace | undefined {
    const now = this.#options.clock.now();
    if (now - this.#diskReadAtMs >= DISK_SPACE_AGE_MS) {
      this.#disk = this.#options.readDiskSpace();
      this.#diskReadAtMs = now;
      this.#diskBytesSince = 0;
    }
    return this.#disk;
  }

  #wake(): void {
    if (this.#isWaking || this.#waiting.size === 0) return;
    this.#isWaking = true;
    setImmediate(() => {
      this.#isWaking = false;
      const callbacks = [...this.#waiting];
      this.#waiting.clear();
      for (const callback of callbacks) callback();
    });
  }
}

/** Of the file system that holds the folder. */
export function readDiskSpace(folder: string): DiskSpace | undefined {
  try {
    const { bsize, blocks, bavail } = statfsSync(folder);
    return { totalBytes: blocks * bsize, freeBytes: bavail * bsize };
  } catch {
    return undefined; // the folder is gone: writing there says so
  }
}

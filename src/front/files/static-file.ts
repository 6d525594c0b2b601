import { chooseEncoding } from '../encoding/accept-encoding.js';
import type { HeaderList } from '../exchange.js';
import { entityTag, wholeSecondsMs } from './conditional.js';
import { contentTypeOf, isCompressibleType, isStoredCompressed } from './content-type.js';
import type { FilePolicy } from './file-policy.js';
import type { Held } from './memory-budget.js';

/** What was found on disk. */
export interface DiskFile {
  /** Absolute; its last name is not a symlink. */
  readonly path: string;
  readonly size: number;
  readonly mtimeMs: number;
}

export function toDiskFile(path: string, { size, mtimeMs }: Omit<DiskFile, 'path'>): DiskFile {
  return { path, size, mtimeMs };
}

/** Best first, where sizes don't decide. */
export const encodings = ['br', 'zstd', 'gzip'] as const;
export type StaticEncoding = (typeof encodings)[number];
/** Those that Node 20 can make; a `.zst` has to be there already. */
const madeEncodings = ['br', 'gzip'] as const;
/** Larger ones would block a pool thread for a second or more, and take too much of the memory. */
const maxMadeFromBytes = 4 * 1024 * 1024;

export interface StaticFileOptions {
  readonly policy: FilePolicy;
  /** Compressed files beside it. */
  readonly siblings?: ReadonlyMap<StaticEncoding, DiskFile> | undefined;
  /** When it is compressed on demand where no sibling is there; undefined: never. */
  readonly compression?: { readonly compress: boolean; readonly compressMinBytes: number };
}

/**
 * A file in one encoding, with everything about its answers that can be known ahead. In memory while StaticBodies keeps it there.
 */
export interface Representation extends Held {
  readonly encoding: StaticEncoding | 'identity';
  /** Undefined: compressed from the identity on demand. */
  readonly disk: DiskFile | undefined;
  readonly etag: string;
  /** Of 200 and 206, without Content-Length. */
  readonly headers: HeaderList;
  readonly notModifiedHeaders: HeaderList;
}

/** What can be answered for one URL, as the file was when it was last looked at. */
export class StaticFile {
  /** Decoded URL path, prefix included. */
  readonly url: string;
  readonly disk: DiskFile;
  /** Of the file, in whole seconds. */
  readonly modifiedMs: number;
  readonly policy: FilePolicy;
  readonly identity: Representation;
  readonly #encoded = new Map<StaticEncoding, Representation>();
  /** Keys of #encoded, best first. */
  #offered: readonly StaticEncoding[] = [];

  constructor(url: string, disk: DiskFile, { policy, siblings, compression }: StaticFileOptions) {
    this.url = url;
    this.disk = disk;
    this.modifiedMs = wholeSecondsMs(disk.mtimeMs);
    this.policy = policy;
    const type = policy.contentType ?? contentTypeOf(url);
    const isPacked = isStoredCompressed(url);
    const present = [...(siblings ?? [])].sort(([, a], [, b]) => a.size - b.size);
    const isMade =
      !isPacked && present.length === 0 && isWorthwhile(disk, compression) && isCompressibleType(type);
    const varies = isMade || present.length > 0;
    const represent = (encoding: StaticEncoding | 'identity', from?: DiskFile): Representation =>
      this.#represent(encoding, from, { type, varies, isPacked });
    this.identity = represent('identity', disk);
    for (const [encoding, sibling] of present) this.#encoded.set(encoding, represent(encoding, sibling));
    if (isMade) for (const encoding of madeEncodings) this.#encoded.set(encoding, represent(encoding));
    this.#offered = [...this.#encoded.keys()];
  }

  /** The representation that a client with this Accept-Encoding gets. */
  choose(acceptEncoding: string | undefined): Representation {
    const encoding = chooseEncoding(acceptEncoding, this.#offered);
    return (encoding === 'identity' ? undefined : this.#encoded.get(encoding)) ?? this.identity;
  }

  /** Of all its representations. */
  get tags(): string[] {
    return [this.identity, ...this.#encoded.values()].map(({ etag }) => etag);
  }

  /** Never offers this encoding again: it saved nothing, or its file has gone or changed. */
  withdraw({ encoding }: Representation): void {
    if (encoding !== 'identity') this.#encoded.delete(encoding);
    this.#offered = [...this.#encoded.keys()];
  }

  // Private

  #represent(
    encoding: StaticEncoding | 'identity',
    disk: DiskFile | undefined,
    { type, varies, isPacked }: { type: string; varies: boolean; isPacked: boolean },
  ): Representation {
    const etag = entityTag(this.disk, encoding === 'identity' ? '' : encoding);
    const { cacheControl, headers: more } = this.policy;
    const shared = ['ETag', etag];
    if (cacheControl !== undefined) shared.push('Cache-Control', cacheControl);
    shared.push(...more);
    if (varies) shared.push('Vary', 'Accept-Encoding');
    const headers = ['Content-Type', type, ...shared];
    headers.push('Last-Modified', new Date(this.modifiedMs).toUTCString());
    headers.push('Accept-Ranges', 'bytes');
    if (!more.some((name) => /^x-content-type-options$/i.test(name)))
      headers.push('X-Content-Type-Options', 'nosniff');
    if (isPacked) headers.push('Content-Encoding', 'gzip');
    else if (encoding !== 'identity') headers.push('Content-Encoding', encoding);
    return { encoding, disk, etag, headers, notModifiedHeaders: shared, body: undefined, wasUsed: false };
  }
}

// Private

function isWorthwhile({ size }: DiskFile, compression: StaticFileOptions['compression']): boolean {
  if (!compression?.compress) return false;
  return size >= compression.compressMinBytes && size <= maxMadeFromBytes;
}

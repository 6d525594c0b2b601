import { chooseEncoding } from '../encoding/accept-encoding.js';
import type { HeaderList } from '../exchange.js';
import { entityTag, wholeSecondsMs } from './conditional.js';
import { contentTypeOf, isCompressibleType } from './content-type.js';

/** What was found on disk. */
export interface DiskFile {
  /** Absolute; its last name is not a symlink. */
  readonly path: string;
  readonly size: number;
  readonly mtimeMs: number;
}

/** Best first, where sizes don't decide. */
export const encodings = ['br', 'zstd', 'gzip'] as const;
export type StaticEncoding = (typeof encodings)[number];
/** Those that Node 20 can make; a `.zst` has to be there already. */
export type MadeEncoding = 'br' | 'gzip';

export interface StaticFilePolicy {
  /** Hashed names never change their content. */
  readonly isImmutable: boolean;
  /** Encodings to make on demand where no sibling is there. */
  readonly made: readonly MadeEncoding[];
}

/** A file in one encoding, with everything about its answers that can be known ahead. Made by StaticFile. */
export class Representation {
  readonly encoding: StaticEncoding | 'identity';
  /** Undefined: compressed from the identity on demand. */
  readonly disk: DiskFile | undefined;
  readonly etag: string;
  /** Of 200 and 206, without Content-Length. */
  readonly headers: HeaderList;
  readonly notModifiedHeaders: HeaderList;
  /** While StaticBodies keeps it in memory. */
  body: Buffer | undefined;
  /** Set by each answer from memory, cleared by MemoryBudget when it looks for something to let go. */
  wasUsed = false;

  constructor(
    encoding: StaticEncoding | 'identity',
    disk: DiskFile | undefined,
    etag: string,
    more: { headers: HeaderList; notModifiedHeaders: HeaderList },
  ) {
    this.encoding = encoding;
    this.disk = disk;
    this.etag = etag;
    this.headers = more.headers;
    this.notModifiedHeaders = more.notModifiedHeaders;
  }
}

/** One URL of the static table. Made by StaticTable, at start and when the file turns out to have changed. */
export class StaticFile {
  /** Decoded URL path, prefix included. */
  readonly url: string;
  readonly disk: DiskFile;
  /** Of the file, in whole seconds. */
  readonly modifiedMs: number;
  readonly policy: StaticFilePolicy;
  readonly identity: Representation;
  readonly #encoded = new Map<StaticEncoding, Representation>();
  /** Keys of #encoded, best first. */
  #offered: readonly StaticEncoding[] = [];

  constructor(
    url: string,
    disk: DiskFile,
    siblings: ReadonlyMap<StaticEncoding, DiskFile>,
    policy: StaticFilePolicy,
  ) {
    this.url = url;
    this.disk = disk;
    this.modifiedMs = wholeSecondsMs(disk.mtimeMs);
    this.policy = policy;
    const type = contentTypeOf(url);
    const made = siblings.size === 0 && isCompressibleType(type) ? policy.made : [];
    const varies = made.length > 0 || siblings.size > 0;
    this.identity = this.#represent('identity', disk, type, varies);
    for (const [encoding, sibling] of [...siblings].sort(([, a], [, b]) => a.size - b.size)) {
      this.#encoded.set(encoding, this.#represent(encoding, sibling, type, varies));
    }
    for (const encoding of made) {
      this.#encoded.set(encoding, this.#represent(encoding, undefined, type, varies));
    }
    this.#offered = [...this.#encoded.keys()];
  }

  /** The representation that a client with this Accept-Encoding gets. */
  choose(acceptEncoding: string | undefined): Representation {
    const encoding = chooseEncoding(acceptEncoding, this.#offered);
    return (encoding === 'identity' ? undefined : this.#encoded.get(encoding)) ?? this.identity;
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
    type: string,
    varies: boolean,
  ): Representation {
    const etag = entityTag(this.disk, encoding === 'identity' ? '' : encoding);
    const cacheControl = this.policy.isImmutable ? 'max-age=31536000, public, immutable' : 'no-cache';
    // As WhiteNoise does: fonts and modules load from another origin, a CDN in front keeps the header,
    // and nothing here depends on who asks.
    const shared = ['ETag', etag, 'Cache-Control', cacheControl, 'Access-Control-Allow-Origin', '*'];
    if (varies) shared.push('Vary', 'Accept-Encoding');
    const headers = ['Content-Type', type, ...shared];
    headers.push('Last-Modified', new Date(this.modifiedMs).toUTCString());
    headers.push('Accept-Ranges', 'bytes', 'X-Content-Type-Options', 'nosniff');
    if (encoding !== 'identity') headers.push('Content-Encoding', encoding);
    return new Representation(encoding, disk, etag, { headers, notModifiedHeaders: shared });
  }
}

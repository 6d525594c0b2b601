import { type Clock, systemClock } from '../../contracts/clock.js';
import type { WhiteNoiseFacts } from '../../contracts/project-facts.js';
import type { HeaderList } from '../exchange.js';
import { FilePolicies, type FilePolicy } from './file-policy.js';
import { LiveFolder } from './live-folder.js';
import { type OpenedFile, openRegularFile } from './open-file.js';
import { readManifest } from './read-manifest.js';
import { siblingsOf } from './siblings.js';
import { makeBudget, StaticBodies, type StaticEntries, type StaticOptions } from './static-bodies.js';
import { type DiskFile, type StaticEncoding, StaticFile, toDiskFile } from './static-file.js';
import type { LeftAddress } from './url-path.js';
import { describeFound, type FoundFiles, isLeftOut, walkFolder } from './walk-folder.js';

export interface StaticSource {
  /** Path prefix with slashes at both ends, without escapes: `/static/`. */
  readonly prefix: string;
  /** Folder whose whole tree is served: STATIC_ROOT. `found` is not looked at then. */
  readonly root?: string | undefined;
  /** The application writes into the root while it runs: what isn't in the table is looked for there. */
  readonly isWritten?: boolean;
  /** Path below the prefix -> absolute file: what Django's finders found. */
  readonly found?: Readonly<Record<string, string>> | undefined;
  /** Path of staticfiles.json. */
  readonly manifest?: string | undefined;
  /** Folder below the prefix that django-compressor writes files into, with a hash of the content in their names. */
  readonly compressedBelow?: string | undefined;
  readonly whitenoise?: WhiteNoiseFacts | undefined;
  /** Addresses below the prefix that are the application's. */
  readonly except?: readonly LeftAddress[];
  /** What is no file is the application's; default: with the prefix `/`. */
  readonly isOverlay?: boolean;
}

/**
 * Every static file by its URL, read once at start and at each reload, so that no request for one of them has to look at the
 * disk. Files that are written into the root later (django-compressor, django-imagekit) are looked for when they are asked for.
 */
export class StaticTable implements StaticEntries {
  readonly prefix: string;
  readonly except: readonly LeftAddress[];
  readonly isOverlay: boolean;
  /** A file of this name answers at the address of its folder. */
  readonly indexFile: string | undefined;
  readonly redirectHeaders: HeaderList;
  readonly options: StaticOptions;
  /** Symlinks left out because they lead out of the root, in circles or nowhere; site logs it. */
  readonly skippedLinks: number;
  readonly unreadableFolders: number;
  readonly isRootMissing: boolean;
  /** Here, so that settings which change without a new table don't start a second account of the memory. */
  readonly bodies: StaticBodies;
  /** What came into the root since; undefined where nothing does. */
  readonly late: LiveFolder | undefined;
  readonly #files = new Map<string, StaticFile>();
  /** Addresses that lead to that of a folder, with the relative one that they lead to. */
  readonly #redirects = new Map<string, string>();

  private constructor(
    source: StaticSource,
    options: StaticOptions,
    found: FoundFiles,
    hashed: ReadonlySet<string>,
    clock: Clock,
  ) {
    this.prefix = source.prefix;
    this.except = source.except ?? [];
    this.isOverlay = source.isOverlay ?? source.prefix === '/';
    this.indexFile = source.whitenoise?.indexFile;
    this.options = options;
    this.skippedLinks = found.skippedLinks;
    this.unreadableFolders = found.unreadableFolders;
    this.isRootMissing = found.isRootMissing;
    const budget = makeBudget(options);
    this.bodies = new StaticBodies(this, budget);
    const { prefix, root } = source;
    const policies = new FilePolicies(source.whitenoise);
    this.redirectHeaders = policies.redirectHeaders;
    const isCompressed = compressedMatcher(source.compressedBelow);
    const policyOf = (below: string): FilePolicy =>
      policies.of(prefix + below, below, { isHashed: hashed.has(below) || isCompressed(below) });
    if (root !== undefined && source.isWritten === true)
      this.late = new LiveFolder(root, options, clock, { prefix, budget, policyOf });
    for (const [below, disk] of found.files) {
      const isImmutable = policies.isImmutable(prefix + below, hashed.has(below));
      const siblings = siblingsOf(below, disk, found.files, { isImmutable });
      this.#put(this.#addressOf(below), disk, policyOf(below), siblings);
    }
  }

  /** Throws ApplicationError for a manifest that can't be understood. A missing root gives an empty table. */
  static async build(
    source: StaticSource,
    options: StaticOptions,
    clock: Clock = systemClock,
  ): Promise<StaticTable> {
    const [found, hashed] = await Promise.all([
      source.root === undefined ? describeFound(source.found ?? {}) : walkFolder(source.root),
      source.manifest === undefined ? new Set<string>() : readManifest(source.manifest),
    ]);
    return new StaticTable(source, options, found, hashed, clock);
  }

  get size(): number {
    return this.#files.size;
  }

  /** By decoded URL path, prefix included. */
  get(url: string): StaticFile | undefined {
    return this.#files.get(url);
  }

  /** Where this address of an index file, or of its folder without a slash, leads; undefined: nowhere. */
  redirectFrom(url: string): string | undefined {
    return this.#redirects.get(url);
  }

  /** A file that is in none of the lists, as it is on the disk now. */
  async findLate(url: string): Promise<StaticFile | undefined> {
    const below = url.slice(this.prefix.length);
    const found = isLeftOut(below) ? undefined : await this.late?.find(below);
    return found === 'folder' ? undefined : found;
  }

  open(path: string): Promise<OpenedFile> {
    return openRegularFile(path);
  }

  /**
   * The entry of a file that was found to have changed since the table was built. Its siblings are of the old
   * content, so they are left out until the next reload.
   */
  refresh(file: StaticFile, now: Omit<DiskFile, 'path'>): StaticFile {
    return this.#put(file.url, toDiskFile(file.disk.path, now), file.policy);
  }

  // Private

  /** Of a file in this place: an index is answered where its folder is, and its own address leads there. */
  #addressOf(below: string): string {
    const url = this.prefix + below;
    if (this.indexFile === undefined || !url.endsWith(`/${this.indexFile}`)) return url;
    const folder = url.slice(0, -this.indexFile.length);
    this.#redirects.set(url, './');
    this.#redirects.set(folder.slice(0, -1), folder.slice(folder.lastIndexOf('/', folder.length - 2) + 1));
    return folder;
  }

  #put(
    url: string,
    disk: DiskFile,
    policy: FilePolicy,
    siblings?: ReadonlyMap<StaticEncoding, DiskFile>,
  ): StaticFile {
    const file = new StaticFile(url, disk, { policy, siblings, compression: this.options });
    this.#files.set(url, file);
    return file;
  }
}

// Private

/** CompressorBase.get_filepath(): `CACHE/css/output.0123456789ab.css`. */
function compressedMatcher(folder: string | undefined): (below: string) => boolean {
  if (folder === undefined) return () => false;
  const start = folder === '' ? '' : `${folder}/`;
  return (below) =>
    below.startsWith(start) &&
    /^(?:css|js)\/[^/]+\.[0-9a-f]{12}\.(?:css|js)$/.test(below.slice(start.length));
}

import type { Release } from '../app/pool/release.js';
import type { Clock } from '../contracts/clock.js';
import { djangoFactsOf } from '../contracts/project-facts.js';
import { LiveFolder } from '../front/files/live-folder.js';
import type { ServedFolder } from '../front/files/serve-folder.js';
import type { ServedSite } from '../front/files/serve-site.js';
import type { StaticOptions } from '../front/files/static-bodies.js';
import { type StaticSource, StaticTable } from '../front/files/static-table.js';
import type { Log } from '../log/log.js';
import { ownedBelow, ownedMedia, servesMedia } from '../project/owned-addresses.js';
import type { Settings } from '../settings/settings.js';
import { readErrorPages } from './read-error-pages.js';

/** What the front serves of a release by itself, from files that are looked up ahead or have a memory. */
export interface SiteFiles {
  /** Django's static files, and those of the setting `static`. */
  readonly tables: readonly StaticTable[];
  /** A folder of files that is the whole site; there is no application then. */
  readonly site: ServedSite | undefined;
  /** Of the setting `errorPages`. */
  readonly errorPages: ReadonlyMap<string, string>;
}

/** Settings whose change needs other SiteFiles. */
export const siteFilesSettings = [
  'compress',
  'compressMinBytes',
  'staticMemoryFileBytes',
  'errorPages',
] as const;

/** Reads the static folders of a release. Throws ApplicationError for a damaged manifest. */
export async function openSiteFiles(release: Release, clock: Clock, log: Log): Promise<SiteFiles> {
  const { project, settings } = release;
  const options = optionsOf(settings);
  const tables: StaticTable[] = [];
  for (const { name, source } of sourcesOf(release)) {
    const table = await StaticTable.build(source, options, clock);
    reportTable(table, name, source.root, log);
    tables.push(table);
  }
  const site = project.kind === 'folder' ? serveFolderOf(release, options, clock) : undefined;
  const errorPages = await readErrorPages(settings.errorPages, log);
  return { tables, site, errorPages };
}

/** Folders whose files come and go: each request looks at the disk. */
export function servedFolders({ project, settings }: Release): ServedFolder[] {
  const folders: ServedFolder[] = [];
  const { wellKnownRoot, mediaMaxAgeSeconds: maxAgeSeconds } = settings;
  if (wellKnownRoot !== null) {
    folders.push({ prefix: '/.well-known/', root: wellKnownRoot, maxAgeSeconds, userContent: false });
  }
  const { mediaPrefix, mediaRoot } = djangoFactsOf(project) ?? {};
  if (mediaPrefix !== undefined && mediaRoot !== undefined && servesMedia(project, settings)) {
    const except = ownedMedia(project, settings);
    folders.push({ prefix: mediaPrefix, root: mediaRoot, except, maxAgeSeconds, userContent: true });
  }
  return folders;
}

// Private

interface NamedSource {
  /** What a person calls it. */
  readonly name: string;
  readonly source: StaticSource;
}

function sourcesOf({ project, settings }: Release): NamedSource[] {
  const sources: NamedSource[] = Object.entries(settings.static).map(([prefix, root]) => ({
    name: `the folder of static ${prefix}`,
    source: { prefix: prefix.endsWith('/') ? prefix : `${prefix}/`, root },
  }));
  const django = djangoFactsOf(project);
  if (settings.serveStatic && django?.staticPrefix !== undefined) {
    const { staticPrefix: prefix, staticRoot: root, staticFound: found, staticManifest: manifest } = django;
    const { compressedBelow, whitenoise } = django;
    const except = ownedBelow(project, prefix);
    const written = { root, isWritten: true, compressedBelow };
    sources.push({
      name: 'STATIC_ROOT',
      source: { prefix, ...written, found, manifest, whitenoise, except },
    });
  }
  if (settings.serveStatic && django?.whitenoise?.root !== undefined) {
    const { whitenoise } = django;
    const prefix = `${settings.scriptName}/`;
    sources.push({
      name: 'WHITENOISE_ROOT',
      source: { prefix, root: whitenoise.root, whitenoise, isOverlay: true },
    });
  }
  return sources;
}

function optionsOf(settings: Settings): StaticOptions {
  return {
    memoryFileBytes: settings.staticMemoryFileBytes,
    compress: settings.compress,
    compressMinBytes: settings.compressMinBytes,
  };
}

function serveFolderOf({ project, settings }: Release, options: StaticOptions, clock: Clock): ServedSite {
  return {
    folder: new LiveFolder(project.application, options, clock),
    fallback: settings.fallback ?? undefined,
  };
}

function reportTable(table: StaticTable, name: string, root: string | undefined, log: Log): void {
  const { skippedLinks: count, unreadableFolders, isRootMissing } = table;
  if (isRootMissing)
    log.warn('static-root-missing', `${name} is not there, so no static file is served from it`, { root });
  if (count > 0) {
    log.warn('static-links-skipped', `symbolic links that lead out of ${name} are not served`, {
      root,
      count,
    });
  }
  if (unreadableFolders > 0) {
    log.warn('static-unreadable', `folders below ${name} may not be read`, {
      root,
      count: unreadableFolders,
    });
  }
}

import {
  type DjangoFacts,
  djangoFactsOf,
  type Project,
  type ViewAddress,
} from '../contracts/project-facts.js';
import type { Settings } from '../settings/settings.js';

type FileSettings = Pick<Settings, 'serveStatic' | 'serveMedia'>;

/**
 * Addresses where easyserve would answer with a file, and the URLconf has a view of its own, which may let only some visitors
 * have it. Below MEDIA_URL and STATIC_URL they are the application's.
 */
export function ownedBelow(project: Project, prefix: string): readonly ViewAddress[] {
  return (djangoFactsOf(project)?.addresses?.owned ?? []).filter((address) => address.prefix === prefix);
}

/** Below MEDIA_URL; none where the settings say that all of it is served. */
export function ownedMedia(project: Project, { serveMedia }: FileSettings): readonly ViewAddress[] {
  const prefix = djangoFactsOf(project)?.mediaPrefix;
  return prefix === undefined || serveMedia === true ? [] : ownedBelow(project, prefix);
}

/** Where nobody knows what the URLconf has there, nothing is served that may be protected. */
export function servesMedia(project: Project, { serveMedia, serveStatic }: FileSettings): boolean {
  if (serveMedia !== 'auto') return serveMedia;
  const django = djangoFactsOf(project);
  if (django?.urlsFailure !== undefined) return false;
  const isAllOwned = ownedMedia(project, { serveMedia, serveStatic }).some(
    ({ path, isExact }) => path === django?.mediaPrefix && !isExact,
  );
  return serveStatic && !isAllOwned;
}

/** What the owner has to know of these addresses, in sentences. */
export function describeAddresses(project: Project, settings: FileSettings): readonly string[] {
  const django = djangoFactsOf(project);
  if (django?.urlsFailure !== undefined) return [describeFailure(django, settings)];
  return (django?.addresses?.owned ?? []).map((address) => describeOwned(address, django, settings));
}

/** Addresses that a view for everything else would get: usually meant to be files. */
export function describeCatchAlls(project: Project): readonly string[] {
  return (djangoFactsOf(project)?.addresses?.catchAlls ?? []).map(
    ({ prefix, view }) =>
      `${prefix} is answered with files, although the view ${view}, which gets whatever no other pattern matches, would get these addresses too.`,
  );
}

// Private

function describeFailure({ urlsFailure, mediaPrefix }: DjangoFacts, { serveMedia }: FileSettings): string {
  const isInDoubt = mediaPrefix !== undefined && serveMedia === 'auto';
  const doubt = isInDoubt ? ` Until they can, the application answers what is below ${mediaPrefix}.` : '';
  return `${urlsFailure}.${doubt}`;
}

function describeOwned(
  { prefix, path, isExact, view }: ViewAddress,
  django: DjangoFacts | undefined,
  { serveMedia }: FileSettings,
): string {
  const place = isExact ? path : `${path}…`;
  const isMedia = prefix === django?.mediaPrefix;
  if (isMedia && serveMedia === true) {
    return `serveMedia = true: everybody gets the files at ${place}, and the view ${view} is never asked.`;
  }
  if (isMedia || prefix === django?.staticPrefix) {
    const way = isMedia ? ' To have easyserve serve them to everybody: serveMedia = true' : '';
    return `The application answers ${place}, because the URLconf has a view of its own there (${view}).${way}`;
  }
  return `The files at ${prefix} hide the view ${view} at ${place}: it is never asked.`;
}

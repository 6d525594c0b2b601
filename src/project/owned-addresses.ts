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
    ({ pieces, isExact }) => pieces.length === 1 && pieces[0] === django?.mediaPrefix && !isExact,
  );
  return serveStatic && !isAllOwned;
}

/** What the owner has to know of these addresses, in sentences. */
export function describeAddresses(project: Project, settings: FileSettings): readonly string[] {
  const django = djangoFactsOf(project);
  if (django?.urlsFailure !== undefined) return [describeFailure(django, settings)];
  const { owned = [], catchAlls = [] } = django?.addresses ?? {};
  return [
    ...owned.map((address) => describeOwned(address, django, settings)),
    ...catchAlls.filter(({ prefix }) => hides(prefix, django, settings, project)).map(describeCatchAll),
  ];
}

// Private

/** Whether files are served there at all. */
function hides(
  prefix: string,
  django: DjangoFacts | undefined,
  settings: FileSettings,
  project: Project,
): boolean {
  if (prefix === django?.mediaPrefix) return servesMedia(project, settings);
  return prefix !== django?.staticPrefix || settings.serveStatic;
}

/** Addresses that a view for everything else would get: usually meant to be files. */
function describeCatchAll(address: ViewAddress): string {
  const { prefix, view } = address;
  return `${prefix} is answered with files, although the URLconf leads ${placeOf(address)} to the view ${view}: it is never asked for them.`;
}

function placeOf({ pieces, isExact }: ViewAddress): string {
  return `${pieces.join('…')}${isExact ? '' : '…'}`;
}

function describeFailure({ urlsFailure, mediaPrefix }: DjangoFacts, { serveMedia }: FileSettings): string {
  const isInDoubt = mediaPrefix !== undefined && serveMedia === 'auto';
  const doubt = isInDoubt ? ` Until they can, the application answers what is below ${mediaPrefix}.` : '';
  return `${urlsFailure}.${doubt}`;
}

function describeOwned(
  address: ViewAddress,
  django: DjangoFacts | undefined,
  { serveMedia }: FileSettings,
): string {
  const { prefix, view, pieces } = address;
  const place = pieces.length === 1 ? placeOf(address) : `${placeOf(address)} below ${prefix}`;
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

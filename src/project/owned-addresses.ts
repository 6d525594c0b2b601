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
  return (djangoFactsOf(project)?.addresses ?? []).filter((address) => address.prefix === prefix);
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
  return Object.values(groupByPrefix(django?.addresses ?? [])).flatMap((addresses) =>
    addresses.length > mostSentences
      ? [describeMany(addresses, django, settings)]
      : addresses.map((address) => describeOwned(address, django, settings)),
  );
}

// Private

/** A wiki has thirty views below its pages, which a log would be full of at each start. */
const mostSentences = 3;

function groupByPrefix(addresses: readonly ViewAddress[]): Readonly<Record<string, readonly ViewAddress[]>> {
  const groups: Record<string, ViewAddress[]> = {};
  for (const address of addresses) {
    groups[address.prefix] ??= [];
    groups[address.prefix]?.push(address);
  }
  return groups;
}

function describeMany(
  addresses: readonly ViewAddress[],
  django: DjangoFacts | undefined,
  settings: FileSettings,
): string {
  const [first] = addresses;
  if (first === undefined) return '';
  return `${addresses.length} views of the URLconf have addresses below ${first.prefix}. The first: ${describeOwned(first, django, settings)}`;
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

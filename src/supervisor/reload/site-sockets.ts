import type { Release } from '../../app/pool/release.js';
import type { Scheme } from '../../contracts/scheme.js';
import type { Log } from '../../log/log.js';
import { bindAddress, isAddressOf, isInTheWay, wantedSchemes } from '../../sockets/address.js';
import type { InheritedSockets } from '../../sockets/inherited-sockets.js';
import type { ListeningSocket } from '../../sockets/listening-socket.js';
import { mayBindPort } from '../../sockets/port-permission.js';

/** What an instance listens on: always HTTP, and HTTPS where the settings want it. */
export type SiteSockets = ReadonlyMap<Scheme, ListeningSocket>;

type Place = Pick<Release, 'settings' | 'project'>;

/** Binds what is missing of what the settings want; throws EasyserveError, and then none of it stays open. */
export async function bindMissing(
  given: SiteSockets,
  { settings, project }: Place,
  log: Log,
  inherited?: InheritedSockets,
): Promise<SiteSockets> {
  const opened: ListeningSocket[] = [];
  const sockets = new Map<Scheme, ListeningSocket>();
  try {
    for (const scheme of wantedSchemes(settings)) {
      const present = given.get(scheme);
      const socket = present ?? (await bindAddress(settings, project, log, inherited, scheme));
      if (present === undefined) opened.push(socket);
      sockets.set(scheme, socket);
    }
  } catch (error) {
    for (const socket of opened) socket.close();
    throw error;
  }
  return sockets;
}

/** Where visitors go first. */
export function urlsOf(sockets: SiteSockets): string[] {
  return [sockets.get('https'), sockets.get('http')].flatMap((socket) => socket?.url ?? []);
}

export function closeAll(sockets: Iterable<ListeningSocket>): void {
  for (const socket of sockets) socket.close();
}

/** What a reload does about the address. */
export interface SocketMove {
  /** The same object where nothing changes. */
  readonly after: SiteSockets;
  /** New ones, to be listened on. */
  readonly opened: readonly ListeningSocket[];
  /** To be closed when the new ones are listened on. */
  readonly leaving: readonly ListeningSocket[];
  /** Only when it is closed another can be bound in its place: it goes on as it is. */
  readonly isStaying: boolean;
}

/** Binds where the new settings want it, beside what is open. Throws EasyserveError: nothing has changed then. */
export async function moveSockets(before: SiteSockets, place: Place, log: Log): Promise<SocketMove> {
  const kept = new Map<Scheme, ListeningSocket>();
  let isStaying = false;
  for (const scheme of wantedSchemes(place.settings)) {
    const socket = before.get(scheme);
    if (socket !== undefined && isAddressOf(socket, place.settings, place.project)) kept.set(scheme, socket);
    else if (socket !== undefined && isBlocked(before, scheme, place)) {
      log.warn('address-stays', `the site goes on at ${socket.url}: moving within a port needs a restart`, {
        hint: 'easyserve restart',
      });
      kept.set(scheme, socket);
      isStaying = true;
    }
  }
  const bound = await bindMissing(kept, place, log);
  const opened = [...bound.values()].filter((socket) => !kept.has(socket.scheme));
  const leaving = [...before.values()].filter((socket) => kept.get(socket.scheme) !== socket);
  const after = opened.length === 0 && leaving.length === 0 ? before : bound;
  return { after, opened, leaving, isStaying };
}

/**
 * Sockets of their own for a restart, which closes those that serve now; what can be bound only then is missing. Throws
 * EasyserveError, with nothing left open.
 */
export async function prepareSockets(before: SiteSockets, place: Place, log: Log): Promise<SiteSockets> {
  const prepared = new Map<Scheme, ListeningSocket>();
  try {
    for (const scheme of wantedSchemes(place.settings)) {
      const socket = await prepareSocket(before, scheme, place, log);
      if (socket !== undefined) prepared.set(scheme, socket);
    }
  } catch (error) {
    closeAll(prepared.values());
    throw error;
  }
  return prepared;
}

// Private

function isBlocked(before: SiteSockets, scheme: Scheme, { settings, project }: Place): boolean {
  return [...before.values()].some((socket) => isInTheWay(socket, settings, project, scheme));
}

async function prepareSocket(
  before: SiteSockets,
  scheme: Scheme,
  place: Place,
  log: Log,
): Promise<ListeningSocket | undefined> {
  const { settings, project } = place;
  const socket = before.get(scheme);
  if (socket !== undefined && isAddressOf(socket, settings, project)) return socket.duplicate();
  if (!isBlocked(before, scheme, place)) return bindAddress(settings, project, log, undefined, scheme);
  if (socket === undefined || mayBindPort(socket.port)) return undefined;
  // Root bound it, and has become another user since (Privileges): once closed it would be lost.
  log.warn('address-stays', `the site goes on at ${socket.url}: only root may bind port ${socket.port}`, {
    hint: 'easyserve stop, then sudo easyserve start',
  });
  return socket.duplicate();
}

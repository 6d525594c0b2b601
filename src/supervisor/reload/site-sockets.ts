import { readFileSync } from 'node:fs';
import type { Release } from '../../app/pool/release.js';
import type { Scheme } from '../../contracts/scheme.js';
import type { Log } from '../../log/log.js';
import {
  bindAddress,
  type FirstBinding,
  isAddressOf,
  isInTheWay,
  wantedSchemes,
} from '../../sockets/address.js';
import type { ListeningSocket } from '../../sockets/listening-socket.js';

/** What an instance listens on: always HTTP, and HTTPS where the settings want it. */
export type SiteSockets = ReadonlyMap<Scheme, ListeningSocket>;

type WantedAddress = Pick<Release, 'settings' | 'project'>;

/** Binds what the settings want and `given` does not have. Throws EasyserveError; none of it stays open then. */
export async function bindMissing(
  given: SiteSockets,
  { settings, project }: WantedAddress,
  log: Log,
  first: FirstBinding = {},
): Promise<SiteSockets> {
  const opened: ListeningSocket[] = [];
  const sockets = new Map<Scheme, ListeningSocket>();
  try {
    for (const scheme of wantedSchemes(settings)) {
      const present = given.get(scheme);
      const socket = present ?? (await bindAddress(settings, project, log, { scheme, ...first }));
      if (present === undefined) opened.push(socket);
      sockets.set(scheme, socket);
    }
  } catch (error) {
    removeAll(opened);
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

/** The same for good: files of Unix sockets go too. */
export function removeAll(sockets: Iterable<ListeningSocket>): void {
  for (const socket of sockets) socket.remove();
}

/** What a reload does about the address. */
export interface SocketMove {
  /** The same object where nothing changes. */
  readonly after: SiteSockets;
  /** New ones, to be listened on. */
  readonly opened: readonly ListeningSocket[];
  /** To be closed when the new ones are listened on. */
  readonly leaving: readonly ListeningSocket[];
  /** A socket stays where it is, because only when it is closed another can be bound in its place. */
  readonly isStaying: boolean;
}

/** Binds what the new settings want, beside what is open. Throws EasyserveError; nothing has changed then. */
export async function moveSockets(before: SiteSockets, wanted: WantedAddress, log: Log): Promise<SocketMove> {
  const kept = new Map<Scheme, ListeningSocket>();
  let isStaying = false;
  for (const scheme of wantedSchemes(wanted.settings)) {
    const socket = before.get(scheme);
    if (socket !== undefined && isAddressOf(socket, wanted.settings, wanted.project))
      kept.set(scheme, socket);
    else if (socket !== undefined && isBlocked(before, scheme, wanted)) {
      log.warn('address-stays', `the site goes on at ${socket.url}: moving within a port needs a restart`, {
        hint: 'easyserve restart',
      });
      kept.set(scheme, socket);
      isStaying = true;
    }
  }
  const bound = await bindMissing(kept, wanted, log);
  const opened = [...bound.values()].filter((socket) => !kept.has(socket.scheme));
  const leaving = [...before.values()].filter((socket) => kept.get(socket.scheme) !== socket);
  const after = opened.length === 0 && leaving.length === 0 ? before : bound;
  return { after, opened, leaving, isStaying };
}

/**
 * Sockets of their own for a restart, which closes those that serve now; what can be bound only then is missing. Throws
 * EasyserveError, with nothing left open.
 */
export async function prepareSockets(
  before: SiteSockets,
  wanted: WantedAddress,
  log: Log,
): Promise<SiteSockets> {
  const prepared = new Map<Scheme, ListeningSocket>();
  try {
    for (const scheme of wantedSchemes(wanted.settings)) {
      const socket = await prepareSocket(before, scheme, wanted, log);
      if (socket !== undefined) prepared.set(scheme, socket);
    }
  } catch (error) {
    discardPrepared(before, prepared);
    throw error;
  }
  return prepared;
}

/** What the settings say of the files of Unix sockets that stay. Throws EasyserveError `address-unusable` or `group-unknown`. */
export function changeRights(
  sockets: SiteSockets,
  { socketMode: mode, socketGroup: group }: Pick<WantedAddress['settings'], 'socketMode' | 'socketGroup'>,
): void {
  for (const socket of sockets.values()) socket.changeRights({ mode, group });
}

/** The sockets of a restart that was refused; those that serve keep their files. */
export function discardPrepared(before: SiteSockets, prepared: SiteSockets): void {
  for (const [scheme, socket] of prepared) {
    if (before.get(scheme)?.host === socket.host) socket.close();
    else socket.remove();
  }
}

/** What a restart has left: files of Unix sockets would stay, because only its runner has closed them. */
export function removeMoved(before: SiteSockets, after: SiteSockets): void {
  for (const [scheme, socket] of before) {
    if (after.get(scheme)?.host !== socket.host) socket.remove();
  }
}

/**
 * Whether this process may bind the port: what a restart asks before it closes a socket that perhaps only root could bind.
 *
 * By the kernel's rule (ip(7), ip_unprivileged_port_start); true off Linux, where only binding tells.
 */
export function mayBindPort(
  port: number,
  readText: (path: string) => string | undefined = readIfThere,
): boolean {
  const status = readText('/proc/self/status');
  if (status === undefined) return true;
  const start = Number(readText('/proc/sys/net/ipv4/ip_unprivileged_port_start') ?? 1024);
  const effective = /^CapEff:\s*([0-9a-f]+)$/m.exec(status)?.[1] ?? '0';
  return port === 0 || port >= start || ((BigInt(`0x${effective}`) >> CAP_NET_BIND_SERVICE) & 1n) === 1n;
}

// Private

function isBlocked(before: SiteSockets, scheme: Scheme, { settings, project }: WantedAddress): boolean {
  return [...before.values()].some((socket) => isInTheWay(socket, settings, project, scheme));
}

async function prepareSocket(
  before: SiteSockets,
  scheme: Scheme,
  wanted: WantedAddress,
  log: Log,
): Promise<ListeningSocket | undefined> {
  const { settings, project } = wanted;
  const socket = before.get(scheme);
  if (socket !== undefined && isAddressOf(socket, settings, project)) return socket.duplicate();
  if (!isBlocked(before, scheme, wanted)) return bindAddress(settings, project, log, { scheme });
  if (socket === undefined || mayBindPort(socket.port)) return undefined;
  // Bound while this process was root (Privileges): once closed it could not be bound again.
  log.warn('address-stays', `the site goes on at ${socket.url}: only root may bind port ${socket.port}`, {
    hint: 'easyserve stop, then sudo easyserve start',
  });
  return socket.duplicate();
}

/** Its number in linux/capability.h. */
const CAP_NET_BIND_SERVICE = 10n;

function readIfThere(path: string): string | undefined {
  try {
    return readFileSync(path, 'utf8');
  } catch {
    return undefined;
  }
}

import { isIPv6 } from 'node:net';
import type { Scheme } from '../../contracts/scheme.js';
import { unixPrefix } from '../../sockets/listening-socket.js';
import type { UnixSocketRights } from '../../sockets/unix-socket.js';
import { unitMark } from './service-unit.js';
import { unitValue } from './unit-text.js';

export interface SocketFileRights extends UnixSocketRights {
  /** Of the site; its own group is that of the file unless one is named (systemd.socket(5), "SocketUser="). */
  readonly user: string;
}

/** One socket that systemd binds for the service. */
export interface SocketPlan {
  readonly projectDir: string;
  /** Unit that gets it. */
  readonly service: string;
  /** By which easyserve tells them apart (sockets/inherited-sockets). */
  readonly role: Scheme;
  /** Null: every address. */
  readonly host: string | null;
  readonly port: number;
  /** Of the file, where host is that of a Unix socket. */
  readonly rights: SocketFileRights;
}

/** The text of a .socket unit; systemd gives a unit's name to all of its sockets, so there is one for each role. */
export function renderSocket({ projectDir, service, role, host, port, rights }: SocketPlan): string {
  return [
    `${unitMark} --socket, which replaces it; your own changes: systemctl edit.`,
    '[Unit]',
    `Description=${unitValue(`easyserve: ${role} of ${projectDir}`)}`,
    '',
    '[Socket]',
    `ListenStream=${streamOf(host, port)}`,
    ...(host?.startsWith(unixPrefix) ? rightLines(rights) : []),
    `FileDescriptorName=${role}`,
    `Service=${service}`,
    'Backlog=2048',
    '',
    '[Install]',
    'WantedBy=sockets.target',
    '',
  ].join('\n');
}

// Private

/** A port alone is every address, of IPv6 too; a path is a Unix socket (systemd.socket(5)). */
function streamOf(host: string | null, port: number): string {
  if (host === null) return String(port);
  if (host.startsWith(unixPrefix)) return host.slice(unixPrefix.length);
  return `${isIPv6(host) ? `[${host}]` : host}:${port}`;
}

/** systemd makes the file, so it says what it would have from us, and removes it as we would. */
function rightLines({ mode, group, user }: SocketFileRights): readonly string[] {
  const groupLines = group === null ? [] : [`SocketGroup=${unitValue(group)}`];
  return [`SocketMode=${mode}`, `SocketUser=${unitValue(user)}`, ...groupLines, 'RemoveOnStop=yes'];
}

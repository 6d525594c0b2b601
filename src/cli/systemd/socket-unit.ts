import { isIPv6 } from 'node:net';
import type { Scheme } from '../../contracts/scheme.js';
import { unitMark } from './service-unit.js';
import { unitValue } from './unit-text.js';

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
}

/** The text of a .socket unit; systemd gives a unit's name to all of its sockets, so there is one for each role. */
export function renderSocket({ projectDir, service, role, host, port }: SocketPlan): string {
  return [
    `${unitMark} --socket, which replaces it; your own changes: systemctl edit.`,
    '[Unit]',
    `Description=${unitValue(`easyserve: ${role} of ${projectDir}`)}`,
    '',
    '[Socket]',
    `ListenStream=${streamOf(host, port)}`,
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
  if (host.startsWith('unix:')) return host.slice('unix:'.length);
  return `${isIPv6(host) ? `[${host}]` : host}:${port}`;
}

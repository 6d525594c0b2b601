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
  const address = host === null ? '0.0.0.0' : isIPv6(host) ? `[${host}]` : host;
  return [
    `${unitMark} --socket, which replaces it; your own changes: systemctl edit.`,
    '[Unit]',
    `Description=${unitValue(`easyserve: ${role} of ${projectDir}`)}`,
    '',
    '[Socket]',
    `ListenStream=${address}:${port}`,
    `FileDescriptorName=${role}`,
    `Service=${service}`,
    'Backlog=2048',
    '',
    '[Install]',
    'WantedBy=sockets.target',
    '',
  ].join('\n');
}

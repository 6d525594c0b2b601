import { EasyserveError } from './errors.js';
import { ListeningSocket } from './front/listening-socket.js';
import type { Log } from './log/log.js';
import type { Project } from './project-facts.js';
import type { Settings } from './settings/settings.js';

const WEB_PORT = 80;
const UNPRIVILEGED_PORT = 8000;

/**
 * Binds the address of the settings, or the default one. Called by launcher, and by reload when the address changed.
 *
 * Without a host: every address, or loopback while Django's DEBUG is on, for its error pages show the settings.
 * Without a port: 80 where this process may bind it, else 8000. Throws EasyserveError.
 */
export async function bindAddress(settings: Settings, project: Project, log: Log): Promise<ListeningSocket> {
  const host = wantedHost(settings, project);
  warnOfDebug(settings, project, log);
  if (settings.port !== null) return ListeningSocket.bind(host, settings.port);
  try {
    return await ListeningSocket.bind(host, WEB_PORT);
  } catch (error) {
    if (!(error instanceof EasyserveError) || error.code !== 'port-forbidden') throw error;
    log.info('port-fallback', `this user may not listen on port ${WEB_PORT}, so it is ${UNPRIVILEGED_PORT}`, {
      hint: 'to allow it: sudo sysctl net.ipv4.ip_unprivileged_port_start=80',
    });
    return ListeningSocket.bind(host, UNPRIVILEGED_PORT);
  }
}

/** Whether this socket is where the settings want one. */
export function isAddressOf(socket: ListeningSocket, settings: Settings, project: Project): boolean {
  const isPortWanted = settings.port === 0 || wantedPorts(settings).includes(socket.port);
  return isPortWanted && socket.host === wantedHost(settings, project);
}

/**
 * Whether this socket has to be closed before one can be bound where the settings want it: the same port, and an address
 * that both have. So it is when DEBUG changes, and with it the default host.
 */
export function isInTheWay(socket: ListeningSocket, settings: Settings, project: Project): boolean {
  const hosts = [socket.host, wantedHost(settings, project)];
  const haveCommonAddress = hosts[0] === hosts[1] || hosts.some((host) => wildcards.includes(host));
  return haveCommonAddress && wantedPorts(settings).includes(socket.port);
}

// Private

const wildcards: readonly string[] = ['0.0.0.0', '::'];

function wantedPorts({ port }: Settings): readonly number[] {
  return port === null ? [WEB_PORT, UNPRIVILEGED_PORT] : [port];
}

function wantedHost(settings: Settings, project: Project): string {
  return settings.host ?? (project.django?.isDebug ? '127.0.0.1' : '0.0.0.0');
}

function warnOfDebug(settings: Settings, project: Project, log: Log): void {
  if (settings.host !== null || !project.django?.isDebug) return;
  log.warn('debug-loopback', 'DEBUG is on, so only this machine can reach the site', {
    hint: 'set DEBUG = False; or, to show your error pages to everybody: easyserve start --host 0.0.0.0',
  });
}

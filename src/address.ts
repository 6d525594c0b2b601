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
  const host = settings.host ?? defaultHost(project, log);
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

/** Whether two releases want different addresses. */
export function isAddressChanged(before: [Settings, Project], after: [Settings, Project]): boolean {
  return wanted(...before) !== wanted(...after);
}

// Private

function wanted(settings: Settings, project: Project): string {
  return `${settings.host ?? (project.django?.isDebug ? 'loopback' : 'any')} ${settings.port}`;
}

function defaultHost(project: Project, log: Log): string {
  if (!project.django?.isDebug) return '0.0.0.0';
  log.warn('debug-loopback', 'DEBUG is on, so only this machine can reach the site', {
    hint: 'set DEBUG = False; or, to show your error pages to everybody: easyserve start --host 0.0.0.0',
  });
  return '127.0.0.1';
}

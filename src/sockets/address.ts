import { EasyserveError } from '../contracts/errors.js';
import { djangoFactsOf, type Project } from '../contracts/project-facts.js';
import { defaultPorts, type Scheme } from '../contracts/scheme.js';
import type { Log } from '../log/log.js';
import { type Settings, wantsHttps } from '../settings/settings.js';
import { InheritedSockets } from './inherited-sockets.js';
import { type BindOptions, ListeningSocket, unixPrefix, type WithRights } from './listening-socket.js';

/** Where the settings name no port and this process may not bind the default one. */
const unprivilegedPorts: Readonly<Record<Scheme, number>> = { http: 8000, https: 8443 };

/** What the first sockets of an instance are opened with. */
export interface FirstBinding {
  readonly inherited?: InheritedSockets | undefined;
  readonly withRights?: WithRights | undefined;
  /** For tests. */
  readonly create?: BindOptions['create'];
}

/** What the settings want listened on. */
export function wantedSchemes(settings: Settings): readonly Scheme[] {
  return wantsHttps(settings) ? ['http', 'https'] : ['http'];
}

/**
 * Binds the address of the settings, or the default one.
 *
 * Without a host: every address, of IPv6 too, or loopback while Django's DEBUG is on, because its error pages show the settings.
 * Without a port: 80 (443 for HTTPS) where this process may bind it, else 8000 (8443). A socket that the service
 * manager passed comes before all of it. Throws EasyserveError.
 */
export async function bindAddress(
  settings: Settings,
  project: Project,
  log: Log,
  {
    scheme = 'http',
    inherited = new InheritedSockets(),
    withRights,
    create,
  }: { scheme?: Scheme } & FirstBinding = {},
): Promise<ListeningSocket> {
  const named = namedPort(settings, scheme);
  const isUnix = settings.host?.startsWith(unixPrefix) === true;
  const passed = inherited.take(scheme, named);
  if (passed !== undefined) return passed;
  const host = wantedHost(settings, project);
  if (isUnix) {
    const { socketMode: mode, socketGroup: group } = settings;
    return ListeningSocket.bindUnix(settings.host ?? '', { mode, group });
  }
  if (scheme === 'http') warnOfDebug(settings, project, log);
  const options = { scheme, withRights, ...(create && { create }) };
  const bind = (port: number) =>
    host === null ? bindEverywhere(port, options) : ListeningSocket.bind(host, port, options);
  if (named !== null) return bind(named);
  const usual = defaultPorts[scheme];
  try {
    return await bind(usual);
  } catch (error) {
    if (!(error instanceof EasyserveError) || error.code !== 'port-forbidden') throw error;
    const second = unprivilegedPorts[scheme];
    log.info('port-fallback', `this user may not listen on port ${usual}, so it is ${second}`, {
      hint: `to allow it: sudo easyserve install, or sudo sysctl -w net.ipv4.ip_unprivileged_port_start=80`,
    });
    return bind(second);
  }
}

/** Whether this socket is where the settings want one. */
export function isAddressOf(socket: ListeningSocket, settings: Settings, project: Project): boolean {
  if (socket.isInherited) return true;
  if (settings.host?.startsWith(unixPrefix)) return socket.host === settings.host;
  const isPortWanted =
    namedPort(settings, socket.scheme) === 0 || wantedPorts(settings, socket.scheme).includes(socket.port);
  const host = wantedHost(settings, project);
  return isPortWanted && (host === null ? wildcards.includes(socket.host) : socket.host === host);
}

/**
 * Whether this socket has to be closed before one can be bound where the settings want it: the same port, and an address
 * that both have. So it is when DEBUG changes, and with it the default host.
 */
export function isInTheWay(
  socket: ListeningSocket,
  settings: Settings,
  project: Project,
  scheme: Scheme = socket.scheme,
): boolean {
  // The file of a Unix socket is replaced while the other is listened on.
  if ([socket.host, settings.host ?? ''].some((host) => host.startsWith(unixPrefix))) return false;
  const hosts = [socket.host, wantedHost(settings, project) ?? '::'];
  const haveCommonAddress = hosts[0] === hosts[1] || hosts.some((host) => wildcards.includes(host));
  return haveCommonAddress && wantedPorts(settings, scheme).includes(socket.port);
}

// Private

const wildcards: readonly string[] = ['0.0.0.0', '::'];

function namedPort({ port, httpsPort }: Settings, scheme: Scheme): number | null {
  return scheme === 'https' ? httpsPort : port;
}

function wantedPorts(settings: Settings, scheme: Scheme): readonly number[] {
  const named = namedPort(settings, scheme);
  return named === null ? [defaultPorts[scheme], unprivilegedPorts[scheme]] : [named];
}

/** Null: every address of this machine. */
function wantedHost(settings: Settings, project: Project): string | null {
  return settings.host ?? (djangoFactsOf(project)?.isDebug ? '127.0.0.1' : null);
}

/** One socket for IPv6 and IPv4 (RFC 3493 section 5.3: libuv turns IPV6_V6ONLY off); IPv4 alone where the kernel has no IPv6. */
async function bindEverywhere(port: number, options: BindOptions): Promise<ListeningSocket> {
  try {
    return await ListeningSocket.bind('::', port, options);
  } catch (error) {
    if (!(error instanceof EasyserveError) || error.code !== 'address-unusable') throw error;
    return ListeningSocket.bind('0.0.0.0', port, options);
  }
}

function warnOfDebug(settings: Settings, project: Project, log: Log): void {
  const django = djangoFactsOf(project);
  if (settings.host !== null || !django?.isDebug) return;
  const { productionSettings } = django;
  const cure = productionSettings
    ? `easyserve start --set settingsModule=${productionSettings}`
    : 'set DEBUG = False';
  log.warn('debug-loopback', 'DEBUG is on, so only this machine can reach the site', {
    hint: `${cure}; or, to show your error pages to everybody: easyserve start --host 0.0.0.0`,
  });
}

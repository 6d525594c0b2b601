import type { Account } from './account.js';

type Environment = Readonly<Record<string, string | undefined>>;

/**
 * What the service manager says to easyserve alone: sd_notify(3), sd_listen_fds(3), sd_watchdog_enabled(3). An application
 * that listens to them by itself would report ready, or take descriptors, that are not its own.
 */
const ofServiceManager: ReadonlySet<string> = new Set([
  'NOTIFY_SOCKET',
  'LISTEN_FDS',
  'LISTEN_PID',
  'LISTEN_FDNAMES',
  'WATCHDOG_USEC',
  'WATCHDOG_PID',
]);

/**
 * What the application processes inherit, and everything that reads the project. Called by launcher.
 *
 * Where root has become the user of the site, HOME and the names are his: tools look for their files there.
 */
export function applicationEnvironment(env: Environment, account: Account | undefined): Environment {
  const kept = Object.fromEntries(Object.entries(env).filter(([name]) => !ofServiceManager.has(name)));
  if (account === undefined) return kept;
  const name = account.name ?? String(account.uid);
  return { ...kept, HOME: account.home, USER: name, LOGNAME: name };
}

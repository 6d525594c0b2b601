import { access, constants } from 'node:fs/promises';
import type { Release } from '../../app/pool/release.js';
import { EasyserveError, ExitCode } from '../../contracts/errors.js';
import type { Log } from '../../log/log.js';
import type { Account } from '../../privileges/account.js';
import type { Privileges } from '../../privileges/privileges.js';
import type { FirstBinding } from '../../sockets/address.js';
import { InheritedSockets } from '../../sockets/inherited-sockets.js';
import { bindMissing, removeAll, type SiteSockets } from './site-sockets.js';

export interface Opening {
  readonly privileges: Privileges;
  /** With what the service manager says. */
  readonly env: Readonly<Record<string, string | undefined>>;
  readonly pid: number;
  /** What is run later on, as the user: Node.js, and a file of easyserve. */
  readonly program: readonly string[];
  readonly log: Log;
}

/**
 * Binds everything that may need root's rights, or takes what the service manager has bound, and gives the rights up: once,
 * between reading the project and the first application process.
 *
 * Throws EasyserveError, with nothing left open: that of bindMissing, `privileges-kept`, `program-unreadable`.
 */
export async function openFirst(
  { settings, project }: Pick<Release, 'settings' | 'project'>,
  { privileges, env, pid, program, log }: Opening,
): Promise<SiteSockets> {
  const inherited = InheritedSockets.read(env, pid);
  const withRights: FirstBinding['withRights'] = (act) => privileges.raised(act);
  const sockets = await bindMissing(new Map(), { settings, project }, log, { inherited, withRights });
  for (const address of inherited.closeRest()) {
    log.warn('socket-unused', `the service manager passed a socket that nothing here serves: ${address}`, {
      address,
    });
  }
  try {
    if (privileges.account !== undefined) await giveUp(privileges, privileges.account, program, log);
    return sockets;
  } catch (error) {
    removeAll(sockets.values());
    throw error;
  }
}

// Private

async function giveUp(
  privileges: Privileges,
  { name, uid, gid }: Account,
  program: readonly string[],
  log: Log,
): Promise<void> {
  const user = name ?? String(uid);
  privileges.drop();
  const unreadable = await findUnreadable(program);
  if (unreadable !== undefined) {
    throw new EasyserveError(
      'program-unreadable',
      ExitCode.settings,
      `The user ${user} may not read ${unreadable}, which easyserve runs as that user.`,
      { hint: 'install Node.js and easyserve where every user can read them, as in /usr/local' },
    );
  }
  log.info('privileges-dropped', `from here on everything runs as the user ${user}`, { user, uid, gid });
}

/**
 * The first of the files that this process may not read. Node in /root/.nvm, say, is out of reach once root has become
 * another user, and workers and application processes would fail later with less to say.
 */
async function findUnreadable(files: readonly string[]): Promise<string | undefined> {
  for (const file of files) {
    try {
      await access(file, constants.R_OK);
    } catch {
      return file; // whatever the reason, it is the file to name
    }
  }
  return undefined;
}

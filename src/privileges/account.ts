import { stat } from 'node:fs/promises';
import os from 'node:os';
import { EasyserveError, ExitCode } from '../contracts/errors.js';
import type { Settings } from '../settings/settings.js';

/** The user that handles requests and runs the application: plain data, sent to the processes that become this user. */
export interface Account {
  readonly uid: number;
  readonly gid: number;
  /** Undefined: the system has only the number. */
  readonly name: string | undefined;
  readonly home: string;
}

/** How a process reads and changes its user: `process`, or a fake in tests. */
export type Identity = {
  /** Documented by Node, with other types. */
  initgroups(user: string | number, group: string | number): void;
} & Required<
  Pick<
    NodeJS.Process,
    | 'getuid'
    | 'geteuid'
    | 'getgid'
    | 'getegid'
    | 'getgroups'
    | 'setuid'
    | 'seteuid'
    | 'setgid'
    | 'setegid'
    | 'setgroups'
    | 'umask'
  >
>;

type Environment = Readonly<Record<string, string | undefined>>;

/**
 * Variables by which the service manager speaks to easyserve alone: sd_notify(3), sd_listen_fds(3), sd_watchdog_enabled(3). An
 * application that used them would report ready for easyserve, or take its descriptors.
 */
const ofServiceManager: ReadonlySet<string> = new Set([
  'NOTIFY_SOCKET',
  'LISTEN_FDS',
  'LISTEN_PID',
  'LISTEN_FDNAMES',
  'WATCHDOG_USEC',
  'WATCHDOG_PID',
]);

export type WantedAccount = Pick<Settings, 'user' | 'group'>;

/** Of the effective user. Throws for a number that no user has. */
export type UserInfo = () => { readonly username: string; readonly homedir: string; readonly gid: number };

/** Undefined on Windows, which has no such users. */
export function systemIdentity(): Identity | undefined {
  return process.getuid === undefined ? undefined : (process as unknown as Identity);
}

/**
 * Whom this process has to become: the user of the settings, else the owner of the project folder. Undefined: it keeps its
 * user, because only root can become another one, or because the settings say root.
 *
 * Throws EasyserveError `root-refused`, `user-unknown`, `user-not-permitted`, `group-unknown`.
 */
export async function chooseAccount(
  wanted: WantedAccount,
  projectDir: string,
  identity: Identity | undefined = systemIdentity(),
  userInfo: UserInfo = os.userInfo,
): Promise<Account | undefined> {
  if (identity === undefined) return undefined;
  if (identity.getuid() !== 0) {
    requireOwn(wanted.user, identity, userInfo);
    return undefined;
  }
  // A missing folder is reported where it is opened.
  const folder = await stat(projectDir).catch(() => undefined);
  const user = wanted.user === null ? folder?.uid : toIdentifier(wanted.user);
  if (user === undefined) return undefined;
  const account = lookUp(user, folder?.gid ?? 0, identity, userInfo);
  if (account.uid === 0 && wanted.user === null) throw refuseRoot(projectDir);
  if (account.uid === 0) return undefined;
  const gid = wanted.group === null ? account.gid : lookUpGroup(wanted.group, identity);
  return { ...account, gid };
}

/**
 * What the application processes inherit, and everything that reads the project.
 *
 * Where root has become the user of the site, HOME and the names are that user's: tools look for their files there.
 */
export function applicationEnvironment(env: Environment, account: Account | undefined): Environment {
  const kept = Object.fromEntries(Object.entries(env).filter(([name]) => !ofServiceManager.has(name)));
  if (account === undefined) return kept;
  const name = account.name ?? String(account.uid);
  return { ...kept, HOME: account.home, USER: name, LOGNAME: name };
}

/** Also for install, which names the user of the service. */
export function refuseRoot(projectDir: string): EasyserveError {
  return new EasyserveError(
    'root-refused',
    ExitCode.settings,
    `The folder ${projectDir} belongs to root, and easyserve runs no application as root unless it is told to.`,
    {
      hint: 'name a user: --set user=www-data (in a container, perhaps: --set user=root)',
    },
  );
}

// Private

/** Compared before it is tried: a service may be forbidden every call that changes users (SystemCallFilter=). */
function requireOwn(user: string | null, identity: Identity, userInfo: UserInfo): void {
  if (user === null || user === String(identity.getuid())) return;
  const own = lookUp(identity.geteuid(), identity.getegid(), identity, userInfo);
  if (user !== own.name) lookUp(toIdentifier(user), 0, identity, userInfo);
}

/** Node takes an id only as a number; text is a name. */
function toIdentifier(text: string): number | string {
  return /^\d+$/.test(text) ? Number(text) : text;
}

/**
 * Becomes the user for a moment: the system then tells of that user, wherever it has its users from (files, LDAP, systemd), because
 * Node has no getpwnam(3).
 */
function lookUp(user: number | string, folderGid: number, identity: Identity, userInfo: UserInfo): Account {
  const before = identity.geteuid();
  try {
    if (user !== before) identity.seteuid(user);
  } catch (error) {
    throw explain(error, 'user', user);
  }
  try {
    const uid = identity.geteuid();
    try {
      const { username, homedir, gid } = userInfo();
      return { uid, gid, name: username, home: homedir };
    } catch {
      return { uid, gid: folderGid, name: undefined, home: '/' }; // a number without an entry
    }
  } finally {
    if (identity.geteuid() !== before) identity.seteuid(before);
  }
}

function lookUpGroup(text: string, identity: Identity): number {
  const before = identity.getegid();
  const group = toIdentifier(text);
  try {
    identity.setegid(group);
    return identity.getegid();
  } catch (error) {
    throw explain(error, 'group', group);
  } finally {
    identity.setegid(before);
  }
}

function explain(error: unknown, kind: 'user' | 'group', name: number | string): EasyserveError {
  const code = (error as NodeJS.ErrnoException).code;
  if (code === 'ERR_UNKNOWN_CREDENTIAL') {
    const sentence = `There is no ${kind} ${name} on this machine.`;
    const more = { hint: `sudo ${kind}add --system ${name}` };
    return kind === 'user'
      ? new EasyserveError('user-unknown', ExitCode.settings, sentence, more)
      : new EasyserveError('group-unknown', ExitCode.settings, sentence, more);
  }
  return new EasyserveError(
    'user-not-permitted',
    ExitCode.settings,
    `easyserve may not become the ${kind} ${name} (${code}): only root can become somebody else.`,
    { hint: `sudo easyserve start, or leave the setting ${kind} away` },
  );
}

import os from 'node:os';
import { EasyserveError, ExitCode } from '../contracts/errors.js';
import { findReplaceableEntry, listPathEntries, type PathEntry } from '../settings/path-entries.js';
import type { AccountWords } from '../settings/root-rights.js';
import { findAdopter } from './adoption/adoption-record.js';
import { findContainerSign } from './container.js';

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

/** Folders of whoever has logged in (XDG Base Directory Specification), which under sudo may be those of root. */
const ofSession = /^(?:XDG_(?:STATE|CONFIG|CACHE|DATA)_HOME|XDG_RUNTIME_DIR)$/;

export type WantedAccount = Pick<AccountWords, 'user' | 'group'> & Partial<AccountWords>;

/** Of the effective user. Throws for a number that no user has. */
export type UserInfo = () => { readonly username: string; readonly homedir: string; readonly gid: number };

/** What decides about a folder of root's for which no user is named. */
export interface RootFolderRules {
  /** Whom `easyserve adopt` has made its user. */
  readonly adoptedBy: (projectDir: string) => string | undefined;
  /** Why root is the custom here. */
  readonly containerSign: () => string | undefined;
}

/** Undefined on Windows, which has no such users. */
export function systemIdentity(): Identity | undefined {
  return process.getuid === undefined ? undefined : (process as unknown as Identity);
}

/**
 * Whom this process has to become: the user that root has named, else the owner of the project folder, or whom `easyserve
 * adopt` has made the user of a folder of root's. Undefined: it keeps its user, because only root can become another one, because
 * root has said root, or because it is a container with a folder of root's.
 *
 * Throws EasyserveError `root-refused`, `folder-replaceable`, `project-missing`, `user-unknown`, `user-not-permitted`,
 * `group-unknown`, `node-keeps-user`.
 */
export function chooseAccount(
  wanted: WantedAccount,
  projectDir: string,
  identity: Identity | undefined = systemIdentity(),
  userInfo: UserInfo = os.userInfo,
  rules: RootFolderRules = systemRules,
): Account | undefined {
  if (identity === undefined) return undefined;
  if (identity.getuid() !== 0) {
    requireOwn(wanted.user, identity, userInfo);
    return undefined;
  }
  if (wanted.user === 'root') return undefined;
  const account =
    wanted.user === null
      ? lookUpOwner(wanted, projectDir, { identity, userInfo, rules })
      : lookUp(toIdentifier(wanted.user), identity, userInfo);
  if (account === undefined || account.uid === 0) return undefined;
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
  const others = Object.entries(kept).filter(([each]) => !ofSession.test(each));
  return { ...Object.fromEntries(others), HOME: account.home, USER: name, LOGNAME: name };
}

/**
 * Debian 13 builds its Node.js 20 with a libuv from another package; of such a one Node.js can't tell whether io_uring would go on with
 * root's rights (CVE-2024-22017), and then each change of the user throws ERR_INVALID_STATE, with every value of UV_USE_IO_URING.
 *
 * Throws EasyserveError `node-keeps-user`. Changes nothing.
 */
export function requireUserChange(identity: Identity | undefined = systemIdentity()): void {
  try {
    identity?.seteuid(identity.geteuid());
  } catch (error) {
    throw explain(error, 'user', identity?.geteuid() ?? 0);
  }
}

/** Also for install, which names the user of the service. `foreignHand`: why the settings file was not asked. */
export function refuseRoot(projectDir: string, foreignHand?: string | undefined): EasyserveError {
  return new EasyserveError(
    'root-refused',
    ExitCode.settings,
    `The folder ${projectDir} belongs to root, and easyserve runs no application as root unless it is told to.`,
    {
      detail: foreignHand && `Its settings file is not asked for a user: ${foreignHand}.`,
      hint: `easyserve adopt ${projectDir}, which makes a user for it; or name one: --set user=www-data (or root: --set user=root)`,
    },
  );
}

// Private

const systemRules: RootFolderRules = { adoptedBy: findAdopter, containerSign: findContainerSign };

/** The owner of the folder decides what runs in it, and as himself; so nobody else may put another folder in its place. */
function lookUpOwner(
  { foreignHand }: WantedAccount,
  projectDir: string,
  { identity, userInfo, rules }: { identity: Identity; userInfo: UserInfo; rules: RootFolderRules },
): Account | undefined {
  const entries = listFolder(projectDir);
  const { uid, gid } = (entries.at(-1) as PathEntry).stats;
  if (uid === 0) {
    const adopter = rules.adoptedBy(projectDir);
    if (adopter !== undefined) return lookUp(adopter, identity, userInfo);
    if (rules.containerSign() !== undefined) return undefined;
    throw refuseRoot(projectDir, foreignHand);
  }
  // Root's group would give a user without an entry more than he has by himself.
  const account = lookUp(uid, identity, userInfo, gid === 0 ? uid : gid);
  const reason = findReplaceableEntry(entries, account);
  if (reason === undefined) return account;
  throw new EasyserveError(
    'folder-replaceable',
    ExitCode.settings,
    `Somebody else than its owner could put another folder in the place of ${projectDir} while root starts it: ${reason}.`,
    { hint: `say whom it is to run as: --set user=${account.name ?? uid}` },
  );
}

/** Never undefined: root that went on without a folder would be root when the folder comes. */
function listFolder(projectDir: string): readonly PathEntry[] {
  try {
    return listPathEntries(projectDir);
  } catch (cause) {
    const { code } = cause as NodeJS.ErrnoException;
    const what = code === 'ENOENT' ? 'does not exist' : `cannot be entered (${code})`;
    throw new EasyserveError('project-missing', ExitCode.application, `The folder ${projectDir} ${what}.`, {
      cause,
    });
  }
}

/** Compared before it is tried: a service may be forbidden every call that changes users (SystemCallFilter=). */
function requireOwn(user: string | null, identity: Identity, userInfo: UserInfo): void {
  if (user === null || user === String(identity.getuid())) return;
  const own = lookUp(identity.geteuid(), identity, userInfo);
  if (user !== own.name) lookUp(toIdentifier(user), identity, userInfo);
}

/** Node takes an id only as a number; text is a name. */
function toIdentifier(text: string): number | string {
  return /^\d+$/.test(text) ? Number(text) : text;
}

/**
 * Becomes the user for a moment: the system then tells of that user, wherever it has its users from (files, LDAP, systemd), because
 * Node has no getpwnam(3). A number without an entry has the group with the same number, or `otherGid`.
 */
function lookUp(user: number | string, identity: Identity, userInfo: UserInfo, otherGid?: number): Account {
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
      return { uid, gid: otherGid ?? uid, name: undefined, home: '/' }; // a number without an entry
    }
  } finally {
    if (identity.geteuid() !== before) identity.seteuid(before);
  }
}

function refusedByNode(): EasyserveError {
  return new EasyserveError(
    'node-keeps-user',
    ExitCode.settings,
    `Root can't become another user with this Node.js, ${process.version}: it was built to refuse that, as Debian's own is.`,
    { hint: 'npm install --global node@22, as root, and then the same command in a new shell' },
  );
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
  if (code === 'ERR_INVALID_STATE') return refusedByNode();
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

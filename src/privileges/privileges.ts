import { readFileSync } from 'node:fs';
import { EasyserveError, ExitCode } from '../contracts/errors.js';
import { type Account, chooseAccount, type Identity, systemIdentity, type WantedAccount } from './account.js';

/** Other users have no access to what the application makes. */
const UMASK = 0o027;

export interface PrivilegesOptions {
  /** /proc/self/status; default: that of this process. */
  readonly readStatus?: () => string | undefined;
  readonly isRootUnasked?: boolean;
}

/**
 * Root's rights, and how they are given up.
 *
 *   assume    root acts as the user of the site from here on; the settings file is read so, the state folder, the lock and the
 *             control socket are made so: nothing has to be given away afterwards, and no link in a user's folder leads root
 *             anywhere
 *   raised    for binding ports, and for starting the process that reads the project
 *   drop      before the first request and the first application process: for good, checked, no way back
 *
 * Until drop() the rights can be taken back (seteuid(2)), so no code of the project may run in this process or inherit
 * from it before (ProjectReader). All of it does nothing for a user who is not root.
 */
export class Privileges {
  /** The user that everything runs as; undefined: keep the current user. */
  readonly account: Account | undefined;
  /** Root stays root, and nobody has said so: it is a container. */
  readonly isRootUnasked: boolean;
  readonly #identity: Identity | undefined;
  readonly #readStatus: () => string | undefined;
  #areKept: boolean;

  constructor(
    account: Account | undefined,
    identity: Identity | undefined = systemIdentity(),
    { readStatus = readOwnStatus, isRootUnasked = false }: PrivilegesOptions = {},
  ) {
    this.isRootUnasked = isRootUnasked;
    this.account = identity === undefined ? undefined : account;
    this.#identity = identity;
    this.#readStatus = readStatus;
    this.#areKept = this.account !== undefined;
  }

  /** Throws what chooseAccount throws. */
  static assume(wanted: WantedAccount, projectDir: string): Privileges {
    const identity = systemIdentity();
    const account = chooseAccount(wanted, projectDir, identity);
    const isRootUnasked = identity?.getuid() === 0 && account === undefined && wanted.user === null;
    const privileges = new Privileges(account, identity, { isRootUnasked });
    privileges.lower();
    return privileges;
  }

  /** Whether root's rights can still be taken back. */
  get areKept(): boolean {
    return this.#areKept;
  }

  /** Acts as the user from here on. */
  lower(): void {
    const { account } = this;
    if (account === undefined || this.#identity === undefined) return;
    takeGroups(account, this.#identity);
    this.#identity.setegid(account.gid);
    this.#identity.seteuid(account.uid);
    this.#identity.umask(UMASK);
  }

  /**
   * Runs `act` with root's rights, where they are kept. It ends at once: whatever else goes on in this process, like the watch of
   * the user's settings file, gets no turn meanwhile and so none of these rights.
   */
  raised<T>(act: () => T): T {
    const { account } = this;
    if (!this.#areKept || account === undefined) return act();
    this.#identity?.seteuid(0);
    this.#identity?.setegid(0);
    try {
      return act();
    } finally {
      this.#identity?.setegid(account.gid);
      this.#identity?.seteuid(account.uid);
    }
  }

  /** Throws EasyserveError `privileges-kept` when a way back is left. */
  drop(): void {
    const { account } = this;
    if (!this.#areKept || account === undefined || this.#identity === undefined) return;
    this.#identity.seteuid(0);
    takeGroups(account, this.#identity);
    this.#identity.setgid(account.gid);
    // As root this sets all three user ids, and with that the kernel clears every capability (capabilities(7)).
    this.#identity.setuid(account.uid);
    this.#identity.umask(UMASK);
    this.#areKept = false;
    const left = findLeftRights(account, this.#identity, this.#readStatus());
    if (left === undefined) return;
    throw new EasyserveError(
      'privileges-kept',
      ExitCode.unexpected,
      `easyserve could not give root's rights up: ${left}.`,
    );
  }
}

// Private

/** The user's own supplementary groups in place of root's. */
function takeGroups({ name, gid }: Account, identity: Identity): void {
  if (name === undefined) identity.setgroups([gid]);
  else identity.initgroups(name, gid);
}

function findLeftRights(
  { uid, gid }: Account,
  identity: Identity,
  status: string | undefined,
): string | undefined {
  if (identity.getuid() !== uid || identity.geteuid() !== uid) return 'the user is still another';
  if (identity.getgid() !== gid || identity.getegid() !== gid) return 'the group is still another';
  if (identity.getgroups().includes(0) && gid !== 0) return "root's group is still there";
  for (const change of ['setuid', 'seteuid'] as const) {
    try {
      identity[change](0);
      return `${change}(0) is still allowed`;
    } catch {
      // As it has to be: EPERM.
    }
  }
  const set = /^Cap(?:Prm|Eff|Amb):\s*0*[1-9a-f][0-9a-f]*$/m.exec(status ?? '');
  return set === null ? undefined : `capabilities are left (${set[0]})`;
}

/** proc(5). Undefined where there is no /proc: only Linux has these capabilities. */
function readOwnStatus(): string | undefined {
  try {
    return readFileSync('/proc/self/status', 'utf8');
  } catch {
    return undefined;
  }
}

import { lstatSync } from 'node:fs';
import { EasyserveError, ExitCode } from '../contracts/errors.js';
import { findForeignEntry } from '../settings/path-entries.js';
import { chooseAccount, type Identity, systemIdentity } from './account.js';
import { Privileges } from './privileges.js';

/**
 * Does something in a state folder as the user whose folder it is: root that asks a user's instance reaches nothing by the user's
 * links and files that the user could not reach. For anybody else it just does it.
 *
 * Throws what lstat(2) says, and EasyserveError `state-folder-unsafe` where it would have to be done as root by a path that others
 * can change.
 */
export async function actAsOwner<T>(
  path: string,
  act: () => Promise<T>,
  identity: Identity | undefined = systemIdentity(),
): Promise<T> {
  if (identity === undefined || identity.getuid() !== 0) return act();
  const before = { uid: identity.geteuid(), gid: identity.getegid(), groups: identity.getgroups() };
  if (before.uid !== 0) identity.seteuid(0); // it is acting as somebody else already
  let hasChanged = false;
  try {
    const { uid } = lstatSync(path);
    // Root without capabilities could not even set the groups that it has.
    if (uid === 0) requireRootsOwn(path);
    else becomeUser(uid, path, identity);
    hasChanged = uid !== 0;
    return await act();
  } finally {
    if (hasChanged) {
      identity.seteuid(0);
      identity.setgroups(before.groups);
      identity.setegid(before.gid);
    }
    if (identity.geteuid() !== before.uid) identity.seteuid(before.uid);
  }
}

// Private

function becomeUser(uid: number, path: string, identity: Identity): void {
  const wanted = { user: String(uid), group: null };
  new Privileges(chooseAccount(wanted, path, identity), identity).lower();
}

function requireRootsOwn(path: string): void {
  const reason = findForeignEntry(path);
  if (reason === undefined) return;
  throw new EasyserveError(
    'state-folder-unsafe',
    ExitCode.unexpected,
    `Root does not control an instance by ${path}, because ${reason}.`,
  );
}

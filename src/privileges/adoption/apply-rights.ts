import { chmodSync, lchownSync, lstatSync, mkdirSync, readdirSync, rmdirSync } from 'node:fs';
import { join } from 'node:path';
import { EasyserveError, ExitCode } from '../../contracts/errors.js';
import type { AdoptionRecord, FormerEntry } from './adoption-record.js';
import type { RightsChange } from './rights-plan.js';

/** Throws EasyserveError `adopt-refused` for an entry that belongs to a group of others. */
export function requirePossible(changes: readonly RightsChange[], gid: number): void {
  for (const change of changes) {
    if (change.kind !== 'admit' || [0, gid].includes(change.before.gid)) continue;
    const { path } = change.before;
    throw new EasyserveError(
      'adopt-refused',
      ExitCode.settings,
      `${path} belongs to the group with the number ${change.before.gid}, so that it can't be opened to the user of the site.`,
      { hint: `move the project to a folder that every user may enter, like /srv; or chgrp root ${path}` },
    );
  }
}

/** The record with what is about to be changed; what stands in it already was so before the first adoption. */
export function recordChanges(record: AdoptionRecord, changes: readonly RightsChange[]): AdoptionRecord {
  const admitted = changes.flatMap((change) => (change.kind === 'admit' ? [change.before] : []));
  const given = changes.flatMap((change) => (change.kind === 'give' ? [change.before] : []));
  const exceptions = given.flatMap(({ path }) =>
    [...walk(path)].filter(({ uid, gid }) => uid === 0 && gid !== 0),
  );
  const created = changes.flatMap((change) => (change.kind === 'make' ? [change.path] : []));
  return {
    ...record,
    entries: merge(record.entries, admitted),
    given: merge(record.given, given),
    exceptions: merge(record.exceptions, exceptions),
    created: [...new Set([...record.created, ...created])],
  };
}

export function applyChange(change: RightsChange, { uid, gid }: AdoptionRecord): void {
  if (change.kind === 'make') {
    mkdirSync(change.path, { mode: 0o750 });
    lchownSync(change.path, uid, gid);
  } else if (change.kind === 'give') {
    for (const entry of walk(change.before.path)) if (entry.uid === 0) lchownSync(entry.path, uid, gid);
  } else {
    const { path, uid: owner } = change.before;
    const { mode } = lstatSync(path);
    // In this order: chown(2) clears the set-group-ID bit.
    lchownSync(path, owner, gid);
    chmodSync(path, (mode & 0o7777) | change.bits);
  }
}

/** Everything as it was. Returns what stays, because something is in it: it is root's then. */
export function undoChanges({
  root,
  entries,
  given,
  exceptions,
  created,
  uid,
  gid,
}: AdoptionRecord): readonly string[] {
  // First, so that nobody can put something else in the place of what follows.
  for (const entry of entries) restore(entry);
  // In the project too: what the application has made beside its database.
  for (const path of [root, ...given.map(({ path }) => path), ...created]) {
    for (const entry of walk(path)) {
      if (entry.uid === uid || entry.gid === gid) lchownSync(entry.path, 0, 0);
    }
  }
  for (const { path, gid: former } of exceptions) if (isThere(path)) lchownSync(path, 0, former);
  for (const entry of [...given, ...entries]) restore(entry);
  return created.toReversed().filter((path) => !removeEmpty(path));
}

// Private

function restore({ path, uid, gid, mode }: FormerEntry): void {
  if (!isThere(path)) return;
  const isLink = lstatSync(path).isSymbolicLink();
  lchownSync(path, uid, gid);
  if (!isLink) chmodSync(path, mode);
}

/** True: it is gone. */
function removeEmpty(path: string): boolean {
  if (!isThere(path)) return true;
  try {
    rmdirSync(path);
    return true;
  } catch {
    return false;
  }
}

/** The entry and all below it; no link is followed. */
function* walk(path: string): Iterable<FormerEntry> {
  const stats = lstatSync(path, { throwIfNoEntry: false });
  if (stats === undefined) return;
  const { uid, gid, mode } = stats;
  yield { path, uid, gid, mode: mode & 0o7777 };
  if (!stats.isDirectory()) return;
  for (const name of readdirSync(path)) yield* walk(join(path, name));
}

function merge(first: readonly FormerEntry[], more: readonly FormerEntry[]): readonly FormerEntry[] {
  const known = new Map([...more, ...first].map((entry) => [entry.path, entry]));
  return [...known.values()];
}

function isThere(path: string): boolean {
  return lstatSync(path, { throwIfNoEntry: false }) !== undefined;
}

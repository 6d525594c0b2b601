import { lstatSync, rmSync } from 'node:fs';
import { basename, join } from 'node:path';
import { setTimeout as after } from 'node:timers/promises';
import { EasyserveError, ExitCode } from '../../contracts/errors.js';
import { describeStateFolder } from '../../control/state-folder.js';
import { type AdoptionRecord, AdoptionRecords } from './adoption-record.js';
import { undoChanges } from './apply-rights.js';
import { listProcessesOf, removeSystemUser } from './system-user.js';

export interface Disowned {
  readonly record: AdoptionRecord;
  /** Folders that were made for the user, and that are not empty: they are root's now. */
  readonly left: readonly string[];
}

/**
 * Takes back what adopt() has done, for each release that a link like `current` led to. Undefined: there is nothing to take back. Throws
 * EasyserveError `user-busy` while something runs as the user: it could lead root elsewhere by a link, while files change their owner.
 */
export async function disown(
  projectDir: string,
  records = new AdoptionRecords(),
): Promise<Disowned | undefined> {
  const record = records.find(projectDir);
  if (record === undefined) return undefined;
  const left = await takeBack(record, projectDir, records);
  const ofOthers = await disown(projectDir, records);
  return { record, left: [...new Set([...left, ...(ofOthers?.left ?? [])])] };
}

// Private

async function takeBack(
  record: AdoptionRecord,
  projectDir: string,
  records: AdoptionRecords,
): Promise<readonly string[]> {
  const running = record.isUserOwn ? await awaitEnd(record.uid) : [];
  if (running.length > 0) {
    const sentence = `The user ${record.user} still runs ${running.slice(0, 5).join(', ')}.`;
    throw new EasyserveError('user-busy', ExitCode.alreadyRunning, sentence, {
      hint: `easyserve stop ${projectDir}`,
    });
  }
  for (const folder of record.created.filter((path) => basename(path).startsWith('.easyserve')))
    removeState(folder);
  const left = undoChanges(record);
  if (record.isUserOwn) removeSystemUser(record.user);
  records.remove(record);
  return left;
}

/** An instance that was just stopped ends a moment after it has said so. */
const endPolls = 30;
const pollMs = 100;

async function awaitEnd(uid: number): Promise<readonly string[]> {
  for (let poll = 0; poll < endPolls && listProcessesOf(uid).length > 0; poll += 1) await after(pollMs);
  return listProcessesOf(uid);
}

/** What each start makes anew; a log stays. */
function removeState(folder: string): void {
  if (lstatSync(folder, { throwIfNoEntry: false })?.isDirectory() !== true) return;
  const { runFolder, spoolFolder, hstsFile, pidFile, controlSocket } = describeStateFolder(folder);
  for (const path of [join(folder, '.gitignore'), runFolder, spoolFolder, hstsFile, pidFile, controlSocket])
    rmSync(path, { recursive: true, force: true });
}

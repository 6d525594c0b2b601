import { existsSync, lstatSync, realpathSync } from 'node:fs';
import { dirname, join, resolve } from 'node:path';
import { describeError, EasyserveError, ExitCode } from '../../contracts/errors.js';
import { findOwnStateFolders } from '../../control/state-folder.js';
import { manageCommand } from '../../project/manage-command.js';
import { usualNames } from '../../project/virtual-environment.js';
import { type WrittenPlace, writtenPlaces } from '../../project/written-places.js';
import { loadSettings } from '../../settings/load.js';
import { type Account, applicationEnvironment, requireUserChange } from '../account.js';
import { readProject, type Sources, UserReader } from '../project-reader.js';
import { type AdoptionRecord, AdoptionRecords } from './adoption-record.js';
import { applyChange, recordChanges, requirePossible } from './apply-rights.js';
import { planReading, planWays, planWriting, type RightsChange } from './rights-plan.js';
import { findSystemUser, makeSystemUser, type SystemUser, userNameFor } from './system-user.js';

export interface AdoptionWish {
  readonly sources: Sources;
  /** Undefined: one of its own. */
  readonly user: string | undefined;
  /** Absolute: more folders that the application writes to. */
  readonly writable: readonly string[];
  /** Node.js and easyserve, which the user runs. */
  readonly program: readonly string[];
}

export interface Adoption {
  readonly record: AdoptionRecord;
  /** What was done now; the first time everything. */
  readonly changes: readonly RightsChange[];
  readonly isUserNew: boolean;
  /** What migrates the database; undefined where it is no Django project. */
  readonly migrate: string | undefined;
}

/**
 * Gives a folder of root's a user: a new one that may read the folder, and write what the application writes. Again it does what is
 * missing. What it changes is recorded before it is changed, for disown().
 *
 * Throws EasyserveError; what was done until then is recorded, and disown() takes it back.
 */
export async function adopt(wish: AdoptionWish, records = new AdoptionRecords()): Promise<Adoption> {
  const { projectDir } = wish.sources;
  const root = requireRootsFolder(projectDir);
  requireUserChange();
  const known = records.find(projectDir);
  const { user, isNew } = chooseUser(wish, known);
  const steps = new Steps(records, { ...(known ?? newRecord(projectDir, root, user, isNew)), root });
  await steps.begin();
  await steps.take(planState(steps.record, await findOwnStateFolders(projectDir)));
  await steps.take(planWays([root, ...wish.program, ...interpretersOf(wish.sources)], user));
  await steps.take(planReading(root, user));
  const account: Account = { uid: user.uid, gid: user.gid, name: user.name, home: user.home };
  const { places, migrate } = await findPlaces(wish, account, (place) =>
    steps.take(planWriting(place, root, user)),
  );
  for (const place of places) await steps.take(planWriting(place, root, user));
  return { record: steps.record, changes: steps.done, isUserNew: isNew, migrate };
}

// Private

/** Each is written down, and then done. */
class Steps {
  readonly #records: AdoptionRecords;
  #record: AdoptionRecord;
  #done: RightsChange[] = [];

  constructor(records: AdoptionRecords, record: AdoptionRecord) {
    this.#records = records;
    this.#record = record;
  }

  /** Throws EasyserveError `adopt-refused` where the record would not be believed. */
  async begin(): Promise<void> {
    await this.#records.write(this.#record);
    if (this.#records.find(this.#record.projectDir) === undefined) throw unbelievable();
  }

  get record(): AdoptionRecord {
    return this.#record;
  }

  get done(): readonly RightsChange[] {
    return this.#done;
  }

  async take(changes: readonly RightsChange[]): Promise<void> {
    requirePossible(changes, this.#record.gid);
    this.#record = recordChanges(this.#record, changes);
    await this.#records.write(this.#record);
    for (const change of changes) applyChange(change, this.#record);
    this.#done = [...this.#done, ...changes];
  }
}

function unbelievable(): EasyserveError {
  const sentence = 'What is adopted is recorded in /var/lib/easyserve, and others than root can write there.';
  return new EasyserveError('adopt-refused', ExitCode.settings, sentence, {
    hint: 'chown root:root /var /var/lib /var/lib/easyserve && chmod go-w /var /var/lib /var/lib/easyserve',
  });
}

function requireRootsFolder(projectDir: string): string {
  const root = existsSync(projectDir) ? realpathSync(projectDir) : undefined;
  if (root === undefined) {
    const sentence = `The folder ${projectDir} does not exist.`;
    throw new EasyserveError('project-missing', ExitCode.application, sentence);
  }
  const { uid } = lstatSync(root);
  if (uid === 0) return root;
  throw new EasyserveError(
    'adopt-refused',
    ExitCode.settings,
    `The folder ${projectDir} belongs to the user with the number ${uid}, and is served as that user already.`,
    { hint: `easyserve start ${projectDir}` },
  );
}

function chooseUser(
  { user: wanted, sources }: AdoptionWish,
  known: AdoptionRecord | undefined,
): { readonly user: SystemUser; readonly isNew: boolean } {
  const { projectDir } = sources;
  if (known !== undefined && wanted !== undefined && wanted !== known.user) {
    const sentence = `The user ${known.user} has adopted ${projectDir} already.`;
    throw new EasyserveError('adopt-refused', ExitCode.settings, sentence, {
      hint: `easyserve disown ${projectDir}`,
    });
  }
  const comment = `easyserve ${projectDir.replaceAll(':', ' ')}`;
  const name = wanted ?? known?.user ?? userNameFor(projectDir);
  const found = findSystemUser(name);
  if (found !== undefined) {
    // A crash between the making of the user and the record leaves it with this word.
    const isOurs = known !== undefined || wanted !== undefined || found.comment === comment;
    if (isOurs && found.uid !== 0) return { user: found, isNew: wanted === undefined && known === undefined };
    throw new EasyserveError('adopt-refused', ExitCode.settings, `There is a user ${name} already.`, {
      hint: `easyserve adopt ${projectDir} --user ${name === 'root' ? 'www-data' : `${name}-2`}`,
    });
  }
  return { user: makeSystemUser(name, comment), isNew: true };
}

function newRecord(
  projectDir: string,
  root: string,
  { name, uid, gid, home }: SystemUser,
  isUserOwn: boolean,
): AdoptionRecord {
  const nothing = { entries: [], given: [], exceptions: [], created: [] };
  return { projectDir: resolve(projectDir), root, user: name, uid, gid, isUserOwn, home, ...nothing };
}

/** The home, where certificates go, and the folders of the instance. */
function planState(
  { home, isUserOwn, root, gid }: AdoptionRecord,
  folders: readonly string[],
): readonly RightsChange[] {
  const all = isUserOwn && home !== undefined ? [home, ...folders] : folders;
  return all.flatMap((path) => planWriting({ name: 'The state', path, kind: 'folder' }, root, { gid }));
}

/** Where an environment leads: the Python of uv lies in root's home. */
function interpretersOf({ projectDir, env }: Sources): readonly string[] {
  const named = env.VIRTUAL_ENV === undefined ? [] : [env.VIRTUAL_ENV];
  const found = [projectDir, dirname(projectDir)].flatMap((folder) =>
    usualNames.map((name) => join(folder, name)),
  );
  return [...named, ...found]
    .map((environment) => join(environment, 'bin', 'python'))
    .filter((path) => existsSync(path));
}

/** So many files stand in the way of the import one after the other at most: logs that the settings open. */
const mostObstacles = 10;

/**
 * Asked as the user, who may not write anything yet. What the import itself writes is named by its error, is given, and the
 * question repeated.
 */
async function findPlaces(
  { sources, writable }: AdoptionWish,
  account: Account,
  give: (place: WrittenPlace) => Promise<void>,
): Promise<{ readonly places: readonly WrittenPlace[]; readonly migrate: string | undefined }> {
  const own = writable.map((path): WrittenPlace => ({ name: 'The folder', path, kind: 'folder' }));
  const reader = new UserReader(account, sources, (act) => act());
  const env = applicationEnvironment(sources.env, account);
  const given = new Set<string>();
  for (;;) {
    try {
      const { loaded, project } = await readProject(reader, loadSettings(sources), {
        sources,
        env,
        measure: false,
      });
      const migrate = project.kind === 'django' ? manageCommand(project, 'migrate') : undefined;
      return { places: [...writtenPlaces(project, loaded.settings), ...own], migrate };
    } catch (error) {
      const path = deniedPath(error);
      if (path === undefined || given.has(path) || given.size === mostObstacles) throw error;
      given.add(path);
      await give({ name: 'The file', path, kind: 'file' });
    }
  }
}

/** As Python says it: `PermissionError: [Errno 13] Permission denied: '/srv/shop/logs/site.log'`. */
function deniedPath(error: unknown): string | undefined {
  const { message, detail = '' } = describeError(error);
  return /\[Errno 13\] Permission denied: '(\/[^']+)'/.exec(`${message}\n${detail}`)?.[1];
}

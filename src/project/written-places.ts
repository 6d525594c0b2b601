import { randomUUID } from 'node:crypto';
import { constants } from 'node:fs';
import { mkdir, open, rmdir, stat } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { djangoFactsOf, type Project } from '../contracts/project-facts.js';
import type { Settings } from '../settings/settings.js';

/** Something that the application writes, by its own settings. */
export interface WrittenPlace {
  /** In the words of a message: `the database`. */
  readonly name: string;
  readonly path: string;
  /** A file may come and go: its folder is written too. */
  readonly kind: 'file' | 'folder';
}

/** Why a place can't be written. */
export interface WriteFailure {
  readonly path: string;
  /** EACCES, EROFS, … */
  readonly code: string;
}

/** What a Django project says of itself; others say nothing. */
export function writtenPlaces(
  project: Project,
  { collect }: Pick<Settings, 'collect'>,
): readonly WrittenPlace[] {
  const django = djangoFactsOf(project);
  if (django === undefined) return [];
  const { databaseFiles = [], mediaRoot, staticRoot, logFiles = [], cacheFolders = [] } = django;
  const folder = (name: string, path: string | undefined): readonly WrittenPlace[] =>
    path === undefined ? [] : [{ name, path, kind: 'folder' }];
  return [
    // SQLite keeps its journal beside the database, and so can't write to it without the folder.
    ...databaseFiles.map((path): WrittenPlace => ({ name: 'the database', path, kind: 'file' })),
    ...folder('MEDIA_ROOT', mediaRoot),
    ...(collect === 'auto' ? folder('STATIC_ROOT', staticRoot) : []),
    ...logFiles.map((path): WrittenPlace => ({ name: 'the log', path, kind: 'file' })),
    ...cacheFolders.flatMap((path) => folder('the folder', path)),
  ];
}

/**
 * Finds out by trying, as the user that this process acts as: access(2) would ask for another one where root acts as a user. Nothing
 * is left behind. What is not there yet can be made where its folder can be written. Undefined: it can be written.
 */
export async function tryToWrite({ path, kind }: WrittenPlace): Promise<WriteFailure | undefined> {
  const isThere = await isPresent(path);
  if (kind === 'file' && isThere) {
    const failure = await attempt(path, async () =>
      (await open(path, constants.O_RDWR | constants.O_NONBLOCK)).close(),
    );
    if (failure !== undefined) return failure;
  }
  return tryFolder(kind === 'folder' && isThere ? path : await nearestFolder(path));
}

// Private

function tryFolder(folder: string): Promise<WriteFailure | undefined> {
  const probe = join(folder, `.easyserve-probe-${randomUUID()}`);
  return attempt(folder, async () => {
    await mkdir(probe);
    await rmdir(probe);
  });
}

/** The folder in which something would have to be made for the path to exist. */
async function nearestFolder(path: string): Promise<string> {
  const folder = dirname(path);
  return folder === path || (await isPresent(folder)) ? folder : nearestFolder(folder);
}

/** Also where it can't be looked at. */
async function isPresent(path: string): Promise<boolean> {
  return stat(path).then(
    () => true,
    (error: NodeJS.ErrnoException) => error.code !== 'ENOENT',
  );
}

async function attempt(path: string, act: () => Promise<unknown>): Promise<WriteFailure | undefined> {
  try {
    await act();
    return undefined;
  } catch (error) {
    return { path, code: (error as NodeJS.ErrnoException).code ?? String(error) };
  }
}

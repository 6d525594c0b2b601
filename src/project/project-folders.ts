import type { Stats } from 'node:fs';
import { stat } from 'node:fs/promises';
import { dirname } from 'node:path';
import { exists } from './path-checks.js';

const highestParent = 3;

/**
 * Where what belongs to a project may lie, nearest first: from the application's folder outwards to the repository's root, and
 * at least to the folder above the one that was named, because `site/.venv` stands beside `site/mysite/manage.py` where one
 * follows Django's tutorial. Outside of the repository only folders count in which nobody else can put anything.
 */
export async function listProjectFolders(root: string, named: string): Promise<readonly string[]> {
  const chain = [root];
  for (let folder = dirname(root); chain.length <= highestParent; folder = dirname(folder))
    chain.push(folder);
  const isRepository = await Promise.all(
    chain.map(async (folder) => (await exists(`${folder}/.git`)) || exists(`${folder}/pyproject.toml`)),
  );
  const own = Math.max(0, isRepository.indexOf(true), chain.indexOf(named));
  const above = Math.max(0, chain.indexOf(named)) + 1;
  const folders = chain.slice(0, own + 1);
  for (const folder of chain.slice(own + 1, above + 1)) {
    if (await isOfSameOwner(folder, root)) folders.push(folder);
  }
  return [...new Set(folders)];
}

// Private

/** A Python that others put beside the project, in /tmp for example, would be run as its owner. */
async function isOfSameOwner(folder: string, root: string): Promise<boolean> {
  const [above, own] = await Promise.all([folder, root].map(look));
  if (above === undefined || own === undefined) return false;
  const isOwn = above.uid === own.uid || above.uid === 0;
  return isOwn && (above.mode & 0o002) === 0;
}

function look(path: string): Promise<Stats | undefined> {
  return stat(path).catch(() => undefined);
}

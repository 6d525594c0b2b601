import { lstat, readdir, readlink, stat } from 'node:fs/promises';
import { dirname, join, resolve } from 'node:path';
import { exists, isExecutable } from './path-checks.js';

/** A virtual environment of a project: with a Python that can be run, or with the reason why not. */
export interface Environment {
  readonly folder: string;
  /** As in the folder that was searched, for the banner. */
  readonly name: string;
  readonly python: string;
  /** One sentence; undefined: it can be run. */
  readonly fault: string | undefined;
}

/** What a virtual environment is usually called; the first that is there counts. */
export const usualNames: readonly string[] = ['.venv', 'venv', 'env', '.env', 'virtualenv', 'myvenv'];

/** The environments with a usual name in a folder. */
export async function listEnvironments(folder: string, platform: NodeJS.Platform): Promise<Environment[]> {
  const found: Environment[] = [];
  for (const name of usualNames) {
    const path = join(folder, name);
    const python = environmentPython(path, platform);
    if (await isExecutable(python)) found.push({ folder: path, name, python, fault: undefined });
    else if ((await mayBeThere(join(path, 'pyvenv.cfg'))) || (await mayBeThere(python)))
      found.push({ folder: path, name, python, fault: await describeFault(python) });
  }
  return found;
}

/** The name of the only environment in a folder that is called otherwise. */
export async function findUnusualName(folder: string): Promise<string | undefined> {
  const entries = await readdir(folder, { withFileTypes: true }).catch(() => []);
  const others: string[] = [];
  for (const entry of entries) {
    if (!entry.isDirectory() || usualNames.includes(entry.name)) continue;
    if (await exists(join(folder, entry.name, 'pyvenv.cfg'))) others.push(entry.name);
  }
  return others.length === 1 ? others[0] : undefined;
}

export function environmentPython(folder: string, platform: NodeJS.Platform): string {
  return platform === 'win32' ? join(folder, 'Scripts', 'python.exe') : join(folder, 'bin', 'python');
}

// Private

/** Also where looking is not allowed: the environment of another user is one. */
async function mayBeThere(path: string): Promise<boolean> {
  return lstat(path).then(
    () => true,
    (error: NodeJS.ErrnoException) => error.code === 'EACCES',
  );
}

/** Why a Python can't be run. */
async function describeFault(python: string): Promise<string> {
  const last = await followLinks(python);
  const what = last === python ? python : `${python} leads to ${last}, which`;
  const code = await stat(python).then(
    () => undefined,
    (error: NodeJS.ErrnoException) => error.code,
  );
  if (code === 'ENOENT') return last === python ? `There is no ${python}.` : `${what} is not there.`;
  return `${what} may not be run by this user.`;
}

/** Where a chain of links ends, or can't be followed further. */
async function followLinks(path: string): Promise<string> {
  const seen = new Set<string>();
  let last = path;
  while (!seen.has(last)) {
    seen.add(last);
    const target = await readlink(last).catch(() => undefined);
    if (target !== undefined) last = resolve(dirname(last), target);
  }
  return last;
}

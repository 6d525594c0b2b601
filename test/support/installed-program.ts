import { execFileSync } from 'node:child_process';
import { accessSync, constants } from 'node:fs';
import { delimiter, join } from 'node:path';

/** Installs a program with apt-get, from the package of its name, where it is missing and that is allowed. */
export function ensureInstalled(program: string): void {
  if (isInstalled(program)) return;
  try {
    // A fresh machine has no lists of packages yet.
    for (const args of [
      ['update', '-qq'],
      ['install', '-y', '-qq', '--no-install-recommends', program],
    ]) {
      execFileSync('apt-get', args, {
        stdio: 'pipe',
        env: { ...process.env, DEBIAN_FRONTEND: 'noninteractive' },
      });
    }
  } catch (error) {
    throw new Error(`${program} is missing, and apt-get install ${program} failed (it takes root)`, {
      cause: error,
    });
  }
}

// Private

/** Daemons lie in /usr/sbin, which is not in everybody's PATH. */
function isInstalled(program: string): boolean {
  return [...(process.env.PATH ?? '').split(delimiter), '/usr/sbin'].some((folder) => {
    try {
      accessSync(join(folder, program), constants.X_OK);
      return true;
    } catch {
      return false; // not in this folder of the PATH
    }
  });
}

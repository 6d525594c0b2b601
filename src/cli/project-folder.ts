import { statSync } from 'node:fs';
import { isAbsolute, normalize, resolve } from 'node:path';
import type { Place } from './command.js';
import type { Surroundings } from './surroundings.js';

/** The absolute path of the project that is meant, with its symbolic links as the person knows them. */
export function projectFolder(place: Place, { cwd, env }: Pick<Surroundings, 'cwd' | 'env'>): string {
  return resolve(baseFolder(place, { cwd, env }), place.dir ?? '.');
}

/** What `--config` names, from where it was typed; the settings loader would take a relative path from the project. */
export function absoluteConfigFile(
  { place, configFile }: { readonly place: Place; readonly configFile: string | undefined },
  surroundings: Pick<Surroundings, 'cwd' | 'env'>,
): string | undefined {
  return configFile === undefined ? undefined : resolve(baseFolder(place, surroundings), configFile);
}

function baseFolder(place: Place, { cwd, env }: Pick<Surroundings, 'cwd' | 'env'>): string {
  return resolve(namedFolder(cwd, env.PWD), place.base ?? '.');
}

/**
 * The current folder as the shell shows it, by the rule of pwd -L (POSIX). The system's answer has the links resolved: from
 * within `current`, a link that each deployment turns to its release, it would name another project after each of them.
 */
function namedFolder(cwd: string, pwd: string | undefined): string {
  if (pwd === undefined || !isAbsolute(pwd) || normalize(pwd) !== pwd) return cwd;
  const named = statSync(pwd, { throwIfNoEntry: false });
  const actual = statSync(cwd, { throwIfNoEntry: false });
  return named !== undefined && named.ino === actual?.ino && named.dev === actual.dev ? pwd : cwd;
}

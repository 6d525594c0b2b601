import { statSync } from 'node:fs';
import { isAbsolute, normalize, resolve } from 'node:path';
import type { CliContext } from './cli-context.js';

/** Which project is meant, as it was typed. */
export interface ProjectArgument {
  /** `-C`: as if the command had been typed there. */
  readonly base: string | undefined;
  readonly dir: string | undefined;
}

/** The absolute path of the project that is meant, with its symbolic links as the person knows them. */
export function projectFolder(
  project: ProjectArgument,
  { cwd, env }: Pick<CliContext, 'cwd' | 'env'>,
): string {
  return resolve(baseFolder(project, { cwd, env }), project.dir ?? '.');
}

/** What `--config` names, from where it was typed; the settings loader would take a relative path from the project. */
export function absoluteConfigFile(
  { project, configFile }: { readonly project: ProjectArgument; readonly configFile: string | undefined },
  context: Pick<CliContext, 'cwd' | 'env'>,
): string | undefined {
  return configFile === undefined ? undefined : resolve(baseFolder(project, context), configFile);
}

function baseFolder(project: ProjectArgument, { cwd, env }: Pick<CliContext, 'cwd' | 'env'>): string {
  return resolve(namedFolder(cwd, env.PWD), project.base ?? '.');
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

import { statSync } from 'node:fs';
import { isAbsolute, normalize, resolve } from 'node:path';
import { systemIdentity } from '../privileges/account.js';
import type { Sources } from '../privileges/project-reader.js';
import type { CliContext } from './cli-context.js';
import type { GivenSettings, ProjectArgument } from './command.js';

/** Where something was typed. */
type TypingContext = Pick<CliContext, 'cwd' | 'env'>;

/** The absolute path of the project that is meant, with its symbolic links as the person knows them. */
export function projectFolder(project: ProjectArgument, { cwd, env }: TypingContext): string {
  return resolve(baseFolder(project, { cwd, env }), project.dir ?? '.');
}

/**
 * What the settings of the project are loaded from. `--config` is relative to where it was typed, not to the project, from
 * which the loader would take it.
 */
export function settingsSources(
  { project, configFile, flags }: GivenSettings & { readonly project: ProjectArgument },
  { cwd, env }: TypingContext,
): Sources {
  return {
    projectDir: projectFolder(project, { cwd, env }),
    configFile: configFile === undefined ? undefined : resolve(baseFolder(project, { cwd, env }), configFile),
    env,
    flags,
    isStartedByRoot: systemIdentity()?.getuid() === 0,
  };
}

// Private

function baseFolder(project: ProjectArgument, { cwd, env }: TypingContext): string {
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

import { resolve } from 'node:path';
import { EasyserveError, ExitCode } from '../../contracts/errors.js';
import { systemIdentity } from '../../privileges/account.js';
import { adopt as adoptFolder } from '../../privileges/adoption/adopt.js';
import type { RightsChange } from '../../privileges/adoption/rights-plan.js';
import type { Sources } from '../../privileges/project-reader.js';
import { readAccountWords } from '../../settings/root-rights.js';
import type { CliContext } from '../cli-context.js';
import type { AdoptCommand } from '../command.js';
import { findSources } from '../find-project.js';
import { typedCommand } from '../text/typed-command.js';
import { withProgress } from '../text/wait-progress.js';

/** `easyserve adopt`: a folder of root's gets a user that may write what the application writes, and no more. */
export async function adopt(command: AdoptCommand, context: CliContext): Promise<number> {
  const sources = await findSources(command, context);
  requireRoot('adopt', sources.projectDir, context);
  const { nodePath, script } = context.exec;
  const { record, changes, isUserNew, migrate } = await withProgress(
    context.stderr,
    'reading the project',
    () =>
      adoptFolder({
        sources,
        user: command.user ?? namedUser(sources),
        writable: command.writable.map((path) => resolve(sources.projectDir, path)),
        program: [nodePath, script],
      }),
  );
  const { user } = record;
  const lines = changes.map((change) => `  ${describe(change)}\n`);
  const next = (verb: string): string => typedCommand(verb, sources.projectDir, context);
  context.stdout.write(
    `The user ${user} ${isUserNew ? 'was made, and has' : 'has'} ${sources.projectDir}.\n${shorten(lines)}` +
      `start    ${next('start')}\nat boot  ${next('install')}\n` +
      `${migrate === undefined ? '' : `manage   runuser -u ${user} -- ${migrate}\n`}` +
      `undo     ${next('disown')}\n`,
  );
  return ExitCode.ok;
}

/** Throws EasyserveError `root-needed`. */
export function requireRoot(verb: 'adopt' | 'disown', projectDir: string, context: CliContext): void {
  if (systemIdentity()?.getuid() === 0) return;
  throw new EasyserveError('root-needed', ExitCode.settings, `Only root can ${verb} a folder.`, {
    hint: `sudo ${typedCommand(verb, projectDir, context)}`,
  });
}

// Private

/** In the environment, or in a settings file that root alone can write. */
function namedUser(sources: Sources): string | undefined {
  const { user } = readAccountWords(sources);
  return user === null || ['root', '0'].includes(user) ? undefined : user;
}

const mostLines = 20;

function shorten(lines: readonly string[]): string {
  const left = lines.length - mostLines;
  return left <= 1 ? lines.join('') : `${lines.slice(-mostLines).join('')}  and ${left} more to read\n`;
}

function describe(change: RightsChange): string {
  if (change.kind === 'make') return `made      ${change.path}`;
  if (change.kind === 'give') return `given     ${change.before.path}`;
  const words =
    change.bits & 0o2000
      ? 'shared'
      : change.bits & 0o020
        ? 'to write'
        : change.bits & 0o040
          ? 'to read'
          : 'to enter';
  return `${words.padEnd(8)}  ${change.before.path}`;
}

import { ExitCode } from '../../contracts/errors.js';
import { disown as disownFolder } from '../../privileges/adoption/disown.js';
import type { CliContext } from '../cli-context.js';
import type { PlainCommand } from '../command.js';
import { findProject } from '../find-project.js';
import { requireRoot } from './adopt.js';

/** `easyserve disown`: takes back what adopt has done. Twice is no error. */
export async function disown(command: PlainCommand<'disown'>, context: CliContext): Promise<number> {
  const projectDir = await findProject(command.project, context);
  requireRoot('disown', projectDir, context);
  const done = await disownFolder(projectDir);
  if (done === undefined) {
    context.stdout.write(`No user has adopted ${projectDir}.\n`);
    return ExitCode.ok;
  }
  const { record, left } = done;
  const user = record.isUserOwn
    ? `The user ${record.user} is removed, and`
    : `The user ${record.user} stays;`;
  const kept = left.map((path) => `  ${path} is not empty: it stays, and is root's\n`).join('');
  context.stdout.write(`${user} ${projectDir} is root's as before.\n${kept}`);
  return ExitCode.ok;
}

import { describeError, EasyserveError, ExitCode } from '../../contracts/errors.js';
import { InstanceError } from '../../control/control-client.js';
import type { ReloadResult } from '../../control/protocol.js';
import { visibleText } from '../../log/visible-text.js';
import { askInstance } from '../ask-instance.js';
import type { CliContext } from '../cli-context.js';
import type { PlainCommand } from '../command.js';
import { findInstanceFolder } from '../find-project.js';
import { withProgress } from '../text/wait-progress.js';

/** `easyserve reload`: returns when the new release serves. Throws, with the application's traceback, when it was refused. */
export async function reload(command: PlainCommand<'reload'>, context: CliContext): Promise<number> {
  const projectDir = await findInstanceFolder(command.project, context);
  const describe = (result: ReloadResult): string => describeResult('Reloaded', result);
  const result = await withProgress(context.stderr, 'reloading', (onProgress) =>
    askInstance(projectDir, { verb: 'reload' }, describe, { onProgress }),
  ).catch((error: unknown) => {
    // A folder that is not there is no instance's.
    const isAnswer = !(error instanceof InstanceError) && describeError(error).code !== 'project-missing';
    throw isAnswer ? toRefusal(error) : error;
  });
  context.stdout.write(result);
  return ExitCode.ok;
}

export function describeResult(done: string, { generation, changes }: ReloadResult): string {
  const lines = [`${done}: generation ${generation} serves.`, ...changes.map((change) => `  ${change}`)].map(
    visibleText,
  );
  return `${lines.join('\n')}\n`;
}

/** One exit code for every reason: what a deployment script needs to know is that the old release still serves. */
function toRefusal(error: unknown): EasyserveError {
  const { code, message, hint, detail } = describeError(error);
  const sentence = `The reload was refused, the old release still serves: ${message}`;
  return new EasyserveError(code, ExitCode.reloadFailed, sentence, { hint, detail, cause: error });
}

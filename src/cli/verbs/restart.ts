import { ExitCode } from '../../contracts/errors.js';
import type { ReloadResult } from '../../control/protocol.js';
import { askInstance } from '../ask-instance.js';
import type { CliContext } from '../cli-context.js';
import type { PlainCommand } from '../command.js';
import { findInstanceFolder } from '../find-project.js';
import { withProgress } from '../text/wait-progress.js';
import { describeResult } from './reload.js';

/** `easyserve restart`: returns when the instance serves again. */
export async function restart(command: PlainCommand<'restart'>, context: CliContext): Promise<number> {
  const projectDir = await findInstanceFolder(command.project, context);
  const describe = (result: ReloadResult): string => describeResult('Restarted', result);
  const result = await withProgress(context.stderr, 'restarting', (onProgress) =>
    askInstance(projectDir, { verb: 'restart' }, describe, { onProgress }),
  );
  context.stdout.write(result);
  return ExitCode.ok;
}

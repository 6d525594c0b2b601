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
  const result = await withProgress(context.stderr, 'restarting', (onProgress) =>
    askInstance(projectDir, { verb: 'restart' }, { onProgress }),
  );
  context.stdout.write(describeResult('Restarted', result as ReloadResult));
  return ExitCode.ok;
}

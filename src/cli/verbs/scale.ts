import { ExitCode } from '../../contracts/errors.js';
import type { ScaleResult } from '../../control/protocol.js';
import { visibleText } from '../../log/visible-text.js';
import { askInstance } from '../ask-instance.js';
import type { CliContext } from '../cli-context.js';
import type { ScaleCommand } from '../command.js';
import { findInstanceFolder } from '../find-project.js';
import { withProgress } from '../text/wait-progress.js';

/** `easyserve scale N`: returns when N application processes serve. */
export async function scale(command: ScaleCommand, context: CliContext): Promise<number> {
  const projectDir = await findInstanceFolder(command.project, context);
  const request = { verb: 'scale', processes: command.processes } as const;
  const processes = await withProgress(context.stderr, 'scaling', (onProgress) =>
    askInstance(projectDir, request, (result: ScaleResult) => result.processes, { onProgress }),
  );
  const noun = processes === 1 ? 'application process serves' : 'application processes serve';
  context.stdout.write(`${visibleText(String(processes))} ${noun}.\n`);
  return ExitCode.ok;
}

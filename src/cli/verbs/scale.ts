import { ExitCode } from '../../contracts/errors.js';
import { callInstance } from '../../control/control-client.js';
import type { ScaleResult } from '../../control/protocol.js';
import type { ScaleCommand } from '../command.js';
import { projectFolder } from '../project-folder.js';
import type { Surroundings } from '../surroundings.js';
import { createWaitProgress } from '../text/wait-progress.js';

/** `easyserve scale N`: returns when N application processes serve. */
export async function scale(command: ScaleCommand, surroundings: Surroundings): Promise<number> {
  const projectDir = projectFolder(command.place, surroundings);
  const progress = createWaitProgress(surroundings.stderr, 'scaling');
  const request = { verb: 'scale', processes: command.processes } as const;
  try {
    const result = (await callInstance(projectDir, request, {
      onProgress: (text) => progress.step(text),
    })) as ScaleResult;
    progress.end();
    const noun = result.processes === 1 ? 'application process serves' : 'application processes serve';
    surroundings.stdout.write(`${result.processes} ${noun}.\n`);
    return ExitCode.ok;
  } finally {
    progress.end();
  }
}

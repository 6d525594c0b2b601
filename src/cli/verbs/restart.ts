import { ExitCode } from '../../contracts/errors.js';
import { callInstance } from '../../control/control-client.js';
import type { ReloadResult } from '../../control/protocol.js';
import type { PlainCommand } from '../command.js';
import { projectFolder } from '../project-folder.js';
import type { Surroundings } from '../surroundings.js';
import { createWaitProgress } from '../text/wait-progress.js';
import { describeResult } from './reload.js';

/** `easyserve restart`: returns when the instance serves again. */
export async function restart(command: PlainCommand<'restart'>, surroundings: Surroundings): Promise<number> {
  const projectDir = projectFolder(command.place, surroundings);
  const progress = createWaitProgress(surroundings.stderr, 'restarting');
  try {
    const result = await callInstance(
      projectDir,
      { verb: 'restart' },
      { onProgress: (text) => progress.step(text) },
    );
    progress.end();
    surroundings.stdout.write(describeResult('Restarted', result as ReloadResult));
    return ExitCode.ok;
  } finally {
    progress.end();
  }
}

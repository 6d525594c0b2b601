import { callInstance } from '../control/control-client.js';
import type { ReloadResult } from '../control/protocol.js';
import { ExitCode } from '../errors.js';
import type { PlainCommand } from './command.js';
import { projectFolder } from './project-folder.js';
import { describeResult } from './reload.js';
import type { Surroundings } from './surroundings.js';
import { createWaitProgress } from './wait-progress.js';

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

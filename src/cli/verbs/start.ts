import { describeError } from '../../contracts/errors.js';
import { launch } from '../../supervisor/launcher.js';
import { keepHeapSmall } from '../../supervisor/supervisor-heap.js';
import type { StartCommand } from '../command.js';
import { absoluteConfigFile, projectFolder } from '../project-folder.js';
import type { Surroundings } from '../surroundings.js';
import { typedCommand } from '../text/typed-command.js';
import { ReadyPipe } from './ready-pipe.js';
import { startDaemon } from './start-daemon.js';

/** `easyserve start`: serves until it is stopped, or (--daemon) until the instance in the background serves. */
export async function start(command: StartCommand, surroundings: Surroundings): Promise<number> {
  const projectDir = projectFolder(command.place, surroundings);
  const configFile = absoluteConfigFile(command, surroundings);
  if (command.isDaemon) return startDaemon({ projectDir, configFile, flags: command.flags }, surroundings);
  const parent = command.readyFd === undefined ? undefined : new ReadyPipe(command.readyFd);
  const { env, stdout, stderr, signals, version, exec } = surroundings;
  keepHeapSmall();
  try {
    const result = await launch({
      projectDir,
      configFile,
      flags: command.flags,
      env,
      stdout,
      stderr,
      signals,
      version,
      typed: {
        reload: typedCommand('reload', projectDir, surroundings),
        stop: typedCommand('stop', projectDir, surroundings),
      },
      exec,
      onReady: (ready) => parent?.tell({ ready }),
    });
    return result.exitCode;
  } catch (error) {
    parent?.tell({ error: describeError(error) });
    throw error;
  }
}

import { describeError } from '../../contracts/errors.js';
import { launch } from '../../supervisor/launcher.js';
import { keepHeapSmall } from '../../supervisor/supervisor-heap.js';
import type { CliContext } from '../cli-context.js';
import type { StartCommand } from '../command.js';
import { findSources } from '../find-project.js';
import { typedCommand } from '../text/typed-command.js';
import { ReadyPipe, startDaemon } from './start-daemon.js';

/** `easyserve start`: serves until it is stopped, or (--daemon) until the instance in the background serves. */
export async function start(command: StartCommand, context: CliContext): Promise<number> {
  const sources = await findSources(command, context);
  if (command.isDaemon) return startDaemon(sources, context);
  const { projectDir } = sources;
  const parent = command.readyFd === undefined ? undefined : new ReadyPipe(command.readyFd);
  const { stdout, stderr, signals, version } = context;
  keepHeapSmall();
  try {
    const result = await launch({
      ...sources,
      stdout,
      stderr,
      signals,
      version,
      typed: {
        reload: typedCommand('reload', projectDir, context),
        stop: typedCommand('stop', projectDir, context),
      },
      onReady: (ready) => parent?.tell({ ready }),
    });
    return result.exitCode;
  } catch (error) {
    parent?.tell({ error: describeError(error) });
    throw error;
  }
}

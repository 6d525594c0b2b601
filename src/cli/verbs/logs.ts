import { ExitCode } from '../../contracts/errors.js';
import { InstanceError } from '../../control/control-client.js';
import { askInstance } from '../ask-instance.js';
import type { CliContext } from '../cli-context.js';
import type { LogsCommand } from '../command.js';
import { findInstanceFolder } from '../find-project.js';
import { readableLine } from '../text/readable-line.js';

/**
 * `easyserve logs`: ends at the last line, or with --follow at Ctrl-C, when the instance ends, or when nobody reads.
 *
 * A terminal shows readable lines; a file or a pipe gets them as the instance writes them.
 */
export async function logs(command: LogsCommand, context: CliContext): Promise<number> {
  const { signals, stdout, stderr, outputClosed } = context;
  const interrupt = new AbortController();
  const onInterrupt = (): void => interrupt.abort();
  signals.once('SIGINT', onInterrupt);
  signals.once('SIGTERM', onInterrupt);
  const signal = AbortSignal.any([interrupt.signal, outputClosed]);
  const request = { verb: 'logs', follow: command.follow, lines: command.lines } as const;
  try {
    await askInstance(await findInstanceFolder(command.project, context), request, () => {}, {
      onLine: (line) => stdout.write(`${readableLine(line, stdout)}\n`),
      signal,
    });
  } catch (error) {
    const hasEnded = error instanceof InstanceError && error.code === 'instance-gone' && command.follow;
    if (hasEnded) stderr.write('The instance has ended.\n');
    else if (!signal.aborted) throw error;
  } finally {
    signals.off('SIGINT', onInterrupt);
    signals.off('SIGTERM', onInterrupt);
  }
  return ExitCode.ok;
}

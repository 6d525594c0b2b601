import { ExitCode } from '../../contracts/errors.js';
import { InstanceError } from '../../control/control-client.js';
import { findStateFolders } from '../../control/state-folder.js';
import { readLastLines } from '../../log/read-last-lines.js';
import { actAsOwner } from '../../privileges/act-as-owner.js';
import { askInstance } from '../ask-instance.js';
import type { CliContext } from '../cli-context.js';
import type { LogsCommand } from '../command.js';
import { findInstanceFolder } from '../find-project.js';
import { readableLine } from '../text/readable-line.js';

/**
 * `easyserve logs`: ends at the last line, or with --follow at Ctrl-C, when the instance ends, or when nobody reads. Where a
 * daemon writes a file, lines from before its start come from there, and all of them where no instance runs.
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
  const print = (line: string): void => void stdout.write(`${readableLine(line, stdout)}\n`);
  try {
    const projectDir = await findInstanceFolder(command.project, context);
    await printLines(projectDir, command, { context, signal, print });
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

// Private

interface Printing {
  readonly context: CliContext;
  readonly signal: AbortSignal;
  readonly print: (line: string) => void;
}

async function printLines(
  projectDir: string,
  { follow, lines }: LogsCommand,
  { context, signal, print }: Printing,
): Promise<void> {
  const latest: string[] = [];
  const ask = (isFollowed: boolean, onLine: (line: string) => void): Promise<unknown> =>
    askInstance(projectDir, { verb: 'logs', follow: isFollowed, lines }, () => {}, { onLine, signal });
  try {
    await ask(false, (line) => {
      latest.push(line);
      // Whoever listens there may send without an end.
      if (latest.length > lines) latest.shift();
    });
  } catch (error) {
    if (!(error instanceof InstanceError) || error.code !== 'not-running') throw error;
    await printFile(projectDir, lines, { context, print, error });
    return;
  }
  for (const line of await readEarlier(projectDir, latest, lines - latest.length)) print(line);
  if (follow) await ask(true, print);
  else for (const line of latest) print(line);
}

/** Of an instance that has ended. Throws `error` where there is no file. */
async function printFile(
  projectDir: string,
  count: number,
  { context, print, error }: Pick<Printing, 'context' | 'print'> & { readonly error: InstanceError },
): Promise<void> {
  for (const { path, logFile } of await findStateFolders(projectDir)) {
    const lines = await readAsOwner(path, logFile, count);
    if (lines === undefined) continue;
    for (const line of lines) print(line);
    context.stderr.write(`${error.message} These are the last lines of ${logFile}.\n`);
    return;
  }
  throw error;
}

/** What the file of a daemon has before the lines that its instance remembers; nothing where it writes elsewhere. */
async function readEarlier(projectDir: string, latest: readonly string[], count: number): Promise<string[]> {
  const [oldest] = latest;
  if (count <= 0 || oldest === undefined) return [];
  for (const { path, logFile } of await findStateFolders(projectDir)) {
    const lines = await readAsOwner(path, logFile, Number.POSITIVE_INFINITY);
    const at = lines?.lastIndexOf(oldest) ?? -1;
    if (lines !== undefined && at >= 0) return lines.slice(Math.max(0, at - count), at);
  }
  return [];
}

/** The file is a user's, who may have put a link there. */
function readAsOwner(folder: string, file: string, count: number): Promise<string[] | undefined> {
  return actAsOwner(folder, () => readLastLines(file, count)).catch(() => undefined);
}

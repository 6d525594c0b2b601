import { existsSync, statSync } from 'node:fs';
import { setTimeout as pause } from 'node:timers/promises';
import { EasyserveError, ExitCode } from '../../contracts/errors.js';
import { connectToInstance, exchange, InstanceError } from '../../control/control-client.js';
import { readInstance } from '../../control/instance-lock.js';
import { isProcessAlive, type ProcessIdentity } from '../../control/process-identity.js';
import type { StateFolder } from '../../control/state-folder.js';
import { actAsOwner } from '../../privileges/act-as-owner.js';
import type { CliContext } from '../cli-context.js';
import type { PlainCommand } from '../command.js';
import { findInstanceFolder } from '../find-project.js';
import { withProgress } from '../text/wait-progress.js';

/** The system does not announce the end of a process that is not our child, so it is looked at. */
const lookEveryMs = 50;
/** After the instance has hung up, only the exit is left. */
const exitDeadlineMs = 30_000;

/** `easyserve stop`: returns when the instance is gone, process and socket. */
export async function stop(command: PlainCommand<'stop'>, context: CliContext): Promise<number> {
  const projectDir = await findInstanceFolder(command.project, context);
  const { socket, folder } = await connectToInstance(projectDir, actAsOwner);
  const instance = await actAsOwner(folder.path, () => readInstance(folder));
  await withProgress(context.stderr, 'stopping', async (onProgress) => {
    await exchange(socket, { verb: 'stop' }, { onProgress }).catch((error: unknown) => {
      // It has ended without an answer, which is what was asked for.
      if (!(error instanceof InstanceError) || error.code !== 'instance-gone') throw error;
    });
    await awaitEnd(instance, folder);
  });
  context.stdout.write('Stopped.\n');
  return ExitCode.ok;
}

async function awaitEnd(instance: ProcessIdentity | undefined, folder: StateFolder): Promise<void> {
  const deadline = performance.now() + exitDeadlineMs;
  while (existsSync(folder.controlSocket) || (instance !== undefined && (await isProcessAlive(instance)))) {
    if (performance.now() > deadline) throw stillThere(instance, folder);
    await pause(lookEveryMs);
  }
}

/** The number stands in a file of the user's, who may have written another one: root is advised to kill only what is his. */
function stillThere(instance: ProcessIdentity | undefined, { path }: StateFolder): EasyserveError {
  const ownerOf = (each: string) => statSync(each, { throwIfNoEntry: false })?.uid;
  const isTheirs = instance !== undefined && ownerOf(`/proc/${instance.pid}`) === ownerOf(path);
  return new EasyserveError(
    'stop-incomplete',
    ExitCode.unexpected,
    `The instance has stopped serving, but its process is still there after ${exitDeadlineMs / 1000} seconds.`,
    { hint: isTheirs ? `\`kill -9 ${instance.pid}\`` : undefined },
  );
}

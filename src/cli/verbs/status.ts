import { ExitCode } from '../../contracts/errors.js';
import type { InstanceStatus } from '../../contracts/status.js';
import { callInstance } from '../../control/control-client.js';
import type { StatusCommand } from '../command.js';
import { projectFolder } from '../project-folder.js';
import type { Surroundings } from '../surroundings.js';
import { describeStatus } from '../text/describe-status.js';

/** `easyserve status`: a table for people, or InstanceStatus as JSON (docs/status.md). */
export async function status(command: StatusCommand, surroundings: Surroundings): Promise<number> {
  const projectDir = projectFolder(command.place, surroundings);
  const found = (await callInstance(projectDir, { verb: 'status' })) as InstanceStatus;
  const { stdout } = surroundings;
  stdout.write(
    command.asJson ? `${JSON.stringify(found, null, 2)}\n` : describeStatus(found, Date.now(), stdout.colour),
  );
  return ExitCode.ok;
}

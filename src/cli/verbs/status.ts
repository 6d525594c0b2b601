import { ExitCode } from '../../contracts/errors.js';
import type { InstanceStatus } from '../../contracts/status.js';
import { indentedJson } from '../../log/visible-text.js';
import { askInstance } from '../ask-instance.js';
import type { CliContext } from '../cli-context.js';
import type { StatusCommand } from '../command.js';
import { findInstanceFolder } from '../find-project.js';
import { describeStatus } from '../text/describe-status.js';

/** `easyserve status`: a table for people, or InstanceStatus as JSON (docs/status.md). */
export async function status(command: StatusCommand, context: CliContext): Promise<number> {
  const projectDir = await findInstanceFolder(command.project, context);
  const { stdout } = context;
  const view = { now: Date.now(), isColoured: stdout.colour };
  const describe = (found: InstanceStatus): string =>
    command.asJson ? `${indentedJson(found)}\n` : describeStatus(found, view);
  stdout.write(await askInstance(projectDir, { verb: 'status' }, describe));
  return ExitCode.ok;
}

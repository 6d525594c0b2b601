import { ExitCode } from '../../contracts/errors.js';
import type { CliContext } from '../cli-context.js';
import type { UninstallCommand } from '../command.js';
import { findProject } from '../find-project.js';
import { UnitFolder } from '../systemd/unit-folder.js';
import { unitName } from '../systemd/unit-name.js';

/** `easyserve uninstall`: stops the service and removes what install wrote. Twice is no error. */
export async function uninstall(
  command: UninstallCommand,
  context: CliContext,
  folder: UnitFolder = new UnitFolder(),
): Promise<number> {
  const projectDir = await findProject(command.project, context, (each) => folder.nameOf(each) !== undefined);
  const name = unitName(projectDir, command.name, folder);
  const units = folder.unitsOf(name);
  if (units.length === 0) {
    context.stdout.write(`There is no ${name}.service in ${folder.path}.\n`);
    return ExitCode.ok;
  }
  // Before anything is stopped: whether all of it is ours.
  for (const unit of units) folder.requireOwn(unit);
  if (folder.isSystemdRunning) folder.systemctl('disable', '--now', ...units);
  for (const unit of units) {
    folder.remove(unit);
    context.stdout.write(`${folder.path}/${unit}: removed\n`);
  }
  if (folder.isSystemdRunning) folder.systemctl('daemon-reload');
  return ExitCode.ok;
}

import { describeError, EasyserveError, ExitCode } from '../../contracts/errors.js';
import type { InstanceStatus } from '../../contracts/status.js';
import { callInstance } from '../../control/control-client.js';
import type { CheckCommand } from '../command.js';
import { type FolderSettings, loadFolderSettings } from '../folder-settings.js';
import { absoluteConfigFile, projectFolder } from '../project-folder.js';
import type { Surroundings } from '../surroundings.js';
import { type Finding, printFinding, toProblem } from '../text/finding.js';
import { createWaitProgress } from '../text/wait-progress.js';
import { checkAddress } from './check-address.js';
import { checkProject } from './check-project.js';

/**
 * `easyserve check`: what would keep the project from being served, each with its fix. Starts nothing.
 *
 * The exit code is that of the one kind of problem found, the same as `easyserve start` would give; checkFailed for several.
 */
export async function check(command: CheckCommand, surroundings: Surroundings): Promise<number> {
  const findings = await findAll(command, surroundings);
  for (const finding of findings) printFinding(finding, surroundings.stdout);
  const codes = new Set(
    findings.flatMap((finding) => (finding.level === 'problem' ? [finding.exitCode] : [])),
  );
  const [only] = codes;
  if (only === undefined) return ExitCode.ok;
  return codes.size === 1 ? only : ExitCode.checkFailed;
}

async function findAll(command: CheckCommand, surroundings: Surroundings): Promise<readonly Finding[]> {
  const projectDir = projectFolder(command.place, surroundings);
  const configFile = absoluteConfigFile(command, surroundings);
  const progress = createWaitProgress(surroundings.stderr, 'importing the application');
  let folder: FolderSettings;
  try {
    folder = await loadFolderSettings(
      { projectDir, configFile, env: surroundings.env, flags: command.flags },
      { measure: true },
    );
  } catch (error) {
    return [toProblem(describeError(error))];
  } finally {
    progress.end();
  }
  const { loaded, project, failure } = folder;
  const file = loaded.file ?? 'no settings file, none is needed';
  const settings: Finding = { level: 'ok', text: `settings: ${file}` };
  if (project === undefined) return [settings, toProblem(describeError(failure))];
  const urls = await readUrls(projectDir);
  return [settings, ...checkProject(project), ...(await checkAddress(loaded.settings, project, urls))];
}

async function readUrls(projectDir: string): Promise<readonly string[]> {
  try {
    return ((await callInstance(projectDir, { verb: 'status' })) as InstanceStatus).urls;
  } catch (error) {
    // None runs, it can't be asked, or it is still starting.
    if (error instanceof EasyserveError) return [];
    throw error;
  }
}

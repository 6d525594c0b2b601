import { callInstance, InstanceError } from '../control/control-client.js';
import type { InstanceStatus } from '../status.js';
import { describeError, ExitCode } from '../errors.js';
import { checkAddress } from './check-address.js';
import { checkProject } from './check-project.js';
import type { CheckCommand } from './command.js';
import type { Finding } from './finding.js';
import { printFinding } from './finding.js';
import { type FolderSettings, loadFolderSettings } from './folder-settings.js';
import { ProgressLine } from './progress-line.js';
import { absoluteConfigFile, projectFolder } from './project-folder.js';
import type { Surroundings } from './surroundings.js';

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
  const progress = new ProgressLine(surroundings.stderr, 'importing the application');
  let folder: FolderSettings;
  try {
    folder = await loadFolderSettings(
      { projectDir, configFile, env: surroundings.env, flags: command.flags },
      true,
    );
  } catch (error) {
    return [toProblem(error)];
  } finally {
    progress.done();
  }
  const { loaded, project, failure } = folder;
  const file = loaded.file ?? 'no settings file; defaults, environment and flags';
  const isDebug = project?.django?.isDebug === true;
  return [
    { level: 'ok', text: `settings: ${file}` },
    ...(project === undefined ? [toProblem(failure)] : checkProject(project)),
    await checkAddress(loaded.settings, isDebug, await readUrls(projectDir)),
  ];
}

function toProblem(error: unknown): Finding {
  const { message, detail, hint, exitCode } = describeError(error);
  return { level: 'problem', text: message, detail, fix: hint, exitCode };
}

/** The running instance holds its port by right. */
async function readUrls(projectDir: string): Promise<readonly string[]> {
  try {
    return ((await callInstance(projectDir, { verb: 'status' })) as InstanceStatus).urls;
  } catch (error) {
    if (error instanceof InstanceError) return [];
    throw error;
  }
}

import { describeError, EasyserveError, ExitCode } from '../../contracts/errors.js';
import type { InstanceStatus } from '../../contracts/status.js';
import { askInstance } from '../ask-instance.js';
import type { CliContext } from '../cli-context.js';
import type { CheckCommand } from '../command.js';
import { type FolderSettings, loadFolderSettings } from '../folder-settings.js';
import { settingsSources } from '../project-argument.js';
import { type Finding, printFinding, toProblem } from '../text/finding.js';
import { withProgress } from '../text/wait-progress.js';
import { checkAddress } from './check-address.js';
import { checkProject } from './check-project.js';

/**
 * `easyserve check`: what would keep the project from being served, each with its fix. Starts nothing.
 *
 * The exit code is that of the one kind of problem found, the same as `easyserve start` would give; checkFailed for several.
 */
export async function check(command: CheckCommand, context: CliContext): Promise<number> {
  const findings = await findAll(command, context);
  for (const finding of findings) printFinding(finding, context.stdout);
  const codes = new Set(
    findings.flatMap((finding) => (finding.level === 'problem' ? [finding.exitCode] : [])),
  );
  const [only] = codes;
  if (only === undefined) return ExitCode.ok;
  return codes.size === 1 ? only : ExitCode.checkFailed;
}

async function findAll(command: CheckCommand, context: CliContext): Promise<readonly Finding[]> {
  const sources = settingsSources(command, context);
  let folder: FolderSettings;
  try {
    folder = await withProgress(context.stderr, 'importing the application', () =>
      loadFolderSettings(sources, { measure: true }),
    );
  } catch (error) {
    return [toProblem(describeError(error))];
  }
  const { loaded, project, failure, privileges } = folder;
  const file = loaded.file ?? 'no settings file, none is needed';
  const settings: Finding = { level: 'ok', text: `settings: ${file}` };
  if (project === undefined) return [settings, toProblem(describeError(failure))];
  const urls = await readUrls(sources.projectDir);
  const address = await checkAddress(loaded.settings, project, urls, (act) => privileges.raised(act));
  return [settings, ...checkProject(project, loaded.settings), ...address];
}

async function readUrls(projectDir: string): Promise<readonly string[]> {
  try {
    return ((await askInstance(projectDir, { verb: 'status' })) as InstanceStatus).urls;
  } catch (error) {
    // None runs, it can't be asked, or it is still starting.
    if (error instanceof EasyserveError) return [];
    throw error;
  }
}

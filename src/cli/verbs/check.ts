import type { Release } from '../../app/pool/release.js';
import type { Subject } from '../../check/check.js';
import { sortFindings } from '../../check/finding.js';
import { thisMachine } from '../../check/machine.js';
import { runChecks } from '../../check/run-checks.js';
import { describeError, EasyserveError, ExitCode } from '../../contracts/errors.js';
import type { Project } from '../../contracts/project-facts.js';
import type { InstanceStatus } from '../../contracts/status.js';
import { applicationEnvironment } from '../../privileges/account.js';
import { currentCapacity } from '../../project/current-capacity.js';
import { planProcesses } from '../../project/process-plan.js';
import type { Settings } from '../../settings/settings.js';
import { askInstance } from '../ask-instance.js';
import type { CliContext } from '../cli-context.js';
import type { CheckCommand } from '../command.js';
import { findSources } from '../find-project.js';
import { type FolderSettings, loadFolderSettings } from '../folder-settings.js';
import {
  type Observation,
  printFinding,
  printObservation,
  type ReportedFinding,
  toFinding,
} from '../text/finding.js';
import { withProgress } from '../text/wait-progress.js';
import { checkAddress } from './check-address.js';
import { describeProject } from './describe-project.js';
import { tryNodeApplication } from './try-node-application.js';

/** What `easyserve check` prints; docs/check.md describes the JSON. */
interface Report {
  readonly found: readonly Observation[];
  /** The worst first. */
  readonly findings: readonly ReportedFinding[];
}

/** `easyserve check`: what would keep the project from being served well, each with its fix. Starts nothing for visitors. */
export async function check(command: CheckCommand, context: CliContext): Promise<number> {
  const report = await look(command, context);
  if (command.asJson) context.stdout.write(`${JSON.stringify(toJson(report), undefined, 2)}\n`);
  else printReport(report, context);
  return chooseExitCode(report, command);
}

// Private

async function look(command: CheckCommand, context: CliContext): Promise<Report> {
  const sources = await findSources(command, context);
  let folder: FolderSettings;
  try {
    folder = await withProgress(context.stderr, 'importing the application', () =>
      loadFolderSettings(sources, { measure: true, examine: true }),
    );
  } catch (error) {
    return { found: [], findings: [toFinding(describeError(error))] };
  }
  const { loaded, project, failure, privileges } = folder;
  const settings = { name: 'settings', text: loaded.file ?? 'no settings file, none is needed' };
  if (project === undefined) return { found: [settings], findings: [toFinding(describeError(failure))] };
  const urls = await readUrls(sources.projectDir);
  const address = await checkAddress(loaded.settings, project, urls, (act) => privileges.raised(act));
  const subject = makeSubject(loaded.settings, project, command.silenced);
  const { silencedFindings } = subject.settings;
  const notes = address.findings.filter(
    ({ name, severity }) => severity === 'error' || !silencedFindings.includes(name),
  );
  const findings = [...notes, ...(await runChecks(subject))];
  const trial = await tryToStart(folder, { ...loaded, ...subject, generation: 0 }, context);
  return {
    found: [settings, ...describeProject(project, trial.rssBytes), ...address.found],
    findings: sortFindings([...findings, ...trial.findings]),
  };
}

interface Trial {
  readonly rssBytes?: number | undefined;
  readonly findings: readonly ReportedFinding[];
}

/** Python has loaded its applications by now. Node.js can only start them: for good without root's rights. */
async function tryToStart(
  { privileges }: FolderSettings,
  release: Release,
  { env, stderr }: CliContext,
): Promise<Trial> {
  if (release.project.kind !== 'node') return { findings: [] };
  try {
    privileges.drop();
    const own = applicationEnvironment(env, privileges.account);
    const rssBytes = await withProgress(stderr, 'starting the application', () =>
      tryNodeApplication(release, own),
    );
    return { rssBytes, findings: [] };
  } catch (error) {
    return { findings: [toFinding(describeError(error))] };
  }
}

function makeSubject(given: Settings, project: Project, silenced: readonly string[]): Subject {
  const settings = { ...given, silencedFindings: [...given.silencedFindings, ...silenced] };
  const plan = planProcesses({ settings, capacity: currentCapacity(), project });
  return { settings, project, plan, machine: thisMachine() };
}

/** That of the start, where all that is wrong keeps it from serving for one kind of reason; checkFailed else. */
function chooseExitCode({ findings }: Report, { isStrict }: CheckCommand): number {
  const failing = findings.filter(
    ({ severity }) => severity === 'error' || (isStrict && severity === 'warning'),
  );
  const codes = new Set(failing.map(({ exitCode = ExitCode.checkFailed }) => exitCode));
  const [only = ExitCode.ok] = codes;
  return codes.size > 1 ? ExitCode.checkFailed : only;
}

function toJson({ found, findings }: Report): object {
  return {
    findings: findings.map(({ name, severity, message, fix }) => ({ name, severity, message, fix })),
    found,
    details: findings.flatMap(({ name, detail }) => (detail === undefined ? [] : [{ name, text: detail }])),
  };
}

function printReport({ found, findings }: Report, { stdout }: CliContext): void {
  for (const observation of found) printObservation(observation, stdout);
  for (const finding of findings) printFinding(finding, stdout);
}

async function readUrls(projectDir: string): Promise<readonly string[]> {
  try {
    return await askInstance(projectDir, { verb: 'status' }, ({ urls }: InstanceStatus) => urls.map(String));
  } catch (error) {
    // None runs, it can't be asked, or it is still starting.
    if (error instanceof EasyserveError) return [];
    throw error;
  }
}

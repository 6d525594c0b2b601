import { statSync } from 'node:fs';
import os from 'node:os';
import { resolve } from 'node:path';
import { ExitCode } from '../../contracts/errors.js';
import type { Project } from '../../contracts/project-facts.js';
import { findStateFolders, stateFolderOf } from '../../control/state-folder.js';
import { refuseRoot } from '../../privileges/account.js';
import { makeFolder } from '../../privileges/make-folder.js';
import type { Privileges } from '../../privileges/privileges.js';
import type { Sources } from '../../privileges/project-reader.js';
import { writtenFolders } from '../../project/written-folders.js';
import type { Settings } from '../../settings/settings.js';
import type { CliContext } from '../cli-context.js';
import type { InstallCommand } from '../command.js';
import { findSources } from '../find-project.js';
import { loadFolderSettings } from '../folder-settings.js';
import { findBootEnvironment, requireVariables } from '../systemd/boot-environment.js';
import { EnvironmentFile } from '../systemd/environment-file.js';
import { planUnits, portsOf, type UnitPlans } from '../systemd/plan-service.js';
import { describeTakenPorts, requireRunnable } from '../systemd/service-surroundings.js';
import { renderService } from '../systemd/service-unit.js';
import { renderSocket } from '../systemd/socket-unit.js';
import { type UnitChange, UnitFolder } from '../systemd/unit-folder.js';
import { unitName } from '../systemd/unit-name.js';
import { explainInstall } from '../text/explain-install.js';
import { withProgress } from '../text/wait-progress.js';

/**
 * `easyserve install`: a systemd service for the project, and with --socket the sockets that systemd binds for it.
 *
 * Writes what has changed and nothing else, so that it can be run again after each change of the settings.
 */
export async function install(
  command: InstallCommand,
  context: CliContext,
  folder: UnitFolder = new UnitFolder(),
): Promise<number> {
  const sources = await findSources(command, context, (each) => folder.nameOf(each) !== undefined);
  const { projectDir, configFile, flags } = sources;
  const name = unitName(projectDir, command.name, folder);
  if (!command.isPrinted) folder.requireOf(name, projectDir);
  const kept = command.isWithoutEnv ? undefined : folder.environmentFileOf(name);
  const wanted = { ...command, envFile: command.envFile ?? kept };
  const { file, settings, project, privileges } = await readSite(wanted, sources, context);
  const user = privileges.account?.name ?? ownerOf(projectDir, settings, privileges);
  const boot = findBootEnvironment(project, context.env, file?.variables ?? {}, settings.settingsModule);
  requireVariables(boot.missing, { name, file, isWithoutEnv: command.isWithoutEnv || command.isPrinted });
  const program = [context.exec.nodePath, ...context.exec.nodeArgs, context.exec.script];
  if (!command.isPrinted) {
    requireRunnable(program, user, privileges);
    file?.make(boot.missing, context.env, privileges);
    for (const path of writtenFolders(project, settings)) makeFolder(path, projectDir, privileges);
  }
  const plans = planUnits({
    ...{ name, projectDir, configFile, flags, project, settings, user },
    environmentFile: file?.path,
    settingsModule: boot.settingsModule,
    stateFolder: await stateFolderPath(projectDir, command),
    writable: command.writable.map((path) => resolve(projectDir, path)),
    ...{ program, hasSockets: command.hasSockets, systemdVersion: folder.systemdVersion },
  });
  const units = renderUnits(name, plans);
  if (command.isPrinted) {
    context.stdout.write(printUnits(units, folder));
    return ExitCode.ok;
  }
  const changes = privileges.raised(() => writeUnits(name, units, folder));
  const notes = privileges.raised(() => describeTakenPorts(name, portsOf(settings)));
  context.stdout.write(explainInstall({ name, changes, plans, folder, notes }));
  return ExitCode.ok;
}

// Private

interface Site {
  /** What --env-file names. */
  readonly file: EnvironmentFile | undefined;
  readonly settings: Settings;
  readonly project: Project;
  readonly privileges: Privileges;
}

/** As the user of the site, which root acts as from here to the units. */
async function readSite(command: InstallCommand, sources: Sources, context: CliContext): Promise<Site> {
  const path = command.envFile;
  const file = path === undefined ? undefined : EnvironmentFile.read(resolve(sources.projectDir, path));
  if (!command.isEnvSaved) file?.requireThere();
  const env = { ...sources.env, ...file?.variables };
  const { loaded, project, failure, privileges } = await withProgress(
    context.stderr,
    'reading the project',
    () => loadFolderSettings({ ...sources, env }, { measure: false }),
  );
  if (project === undefined) throw failure;
  return { file, settings: loaded.settings, project, privileges };
}

/** Where no account was looked up: root does not run this, or the system knows the user only by number. */
function ownerOf(projectDir: string, { user }: Settings, { account }: Privileges): string {
  if (user !== null) return user;
  const { uid } = account ?? statSync(projectDir);
  if (uid === 0) throw refuseRoot(projectDir);
  return uid === process.getuid?.() ? os.userInfo().username : String(uid);
}

/** The folder has to exist before the service starts, which can only read what else is there. */
async function stateFolderPath(projectDir: string, { isPrinted }: InstallCommand): Promise<string> {
  if (!isPrinted) return (await stateFolderOf(projectDir)).path;
  const [usual] = await findStateFolders(projectDir);
  return usual?.path ?? projectDir;
}

function renderUnits(name: string, { service, sockets }: UnitPlans): ReadonlyMap<string, string> {
  const units = new Map([[`${name}.service`, renderService(service)]]);
  for (const [unit, plan] of sockets) units.set(unit, renderSocket(plan));
  return units;
}

function printUnits(units: ReadonlyMap<string, string>, { path }: UnitFolder): string {
  return [...units].map(([unit, text]) => `# ${path}/${unit}\n${text}`).join('\n');
}

/** The change of each unit; those of an earlier install that are not needed any more are removed. */
function writeUnits(
  name: string,
  units: ReadonlyMap<string, string>,
  folder: UnitFolder,
): ReadonlyMap<string, UnitChange | 'removed'> {
  const changes = new Map<string, UnitChange | 'removed'>();
  for (const unit of folder.unitsOf(name).filter((each) => !units.has(each))) {
    if (folder.isSystemdRunning) folder.systemctl('disable', '--now', unit);
    folder.remove(unit);
    changes.set(unit, 'removed');
  }
  for (const [unit, text] of units) changes.set(unit, folder.write(unit, text));
  if (folder.isSystemdRunning) {
    folder.systemctl('daemon-reload');
    folder.systemctl('enable', ...units.keys());
  }
  return changes;
}

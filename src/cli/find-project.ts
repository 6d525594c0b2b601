import { existsSync, realpathSync, statSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { ApplicationError, EasyserveError } from '../contracts/errors.js';
import { connectToInstance } from '../control/control-client.js';
import { actAsOwner } from '../privileges/act-as-owner.js';
import type { Sources } from '../privileges/project-reader.js';
import { findProjectAbove, hasManage, listDjangoFolders } from '../project/django-folders.js';
import { settingsFileNames } from '../settings/settings-file.js';
import type { CliContext } from './cli-context.js';
import type { GivenSettings, ProjectArgument } from './command.js';
import { refuseFile, refuseOperand } from './file-argument.js';
import { projectFolder, settingsSources } from './project-argument.js';

type TypingContext = Pick<CliContext, 'cwd' | 'env'>;

/**
 * The folder of a project, which has one identity where `manage.py` lies in a folder of it: `site` and `site/mysite` are the
 * same project, so that a second start finds the first and each verb works in both. It is the one that has a unit (for install and uninstall), or is served; else the one
 * with a settings file; else the one that was typed.
 */
export async function findProject(
  project: ProjectArgument,
  context: TypingContext,
  hasUnit: (folder: string) => boolean = () => false,
): Promise<string> {
  const typed = projectFolder(project, context);
  refuseFile(typed, projectFolder({ base: project.base, dir: undefined }, context));
  const other = await findOther(typed).catch(() => undefined);
  if (other === undefined) return typed;
  for (const each of [typed, other]) if (hasUnit(each)) return each;
  for (const each of [typed, other]) if (await isServed(each)) return each;
  return !hasSettingsFile(typed) && hasSettingsFile(other) ? other : typed;
}

/** For the verbs that ask a running instance. Throws ApplicationError in a package of a project, one level below manage.py. */
export async function findInstanceFolder(project: ProjectArgument, context: TypingContext): Promise<string> {
  const folder = await findProject(project, context);
  const above = await findProjectAbove(folder);
  if (above !== undefined && !(await isServed(folder))) throw insideOfProject(folder, above);
  return folder;
}

/** What the settings of the project are loaded from. */
export async function findSources(
  given: GivenSettings & { readonly project: ProjectArgument },
  context: TypingContext,
  hasUnit?: (folder: string) => boolean,
): Promise<Sources> {
  const sources = settingsSources(given, context);
  refuseOperand(given.project.dir, sources.projectDir);
  return { ...sources, projectDir: await findProject(given.project, context, hasUnit) };
}

// Private

/** The other folder that the same project is known by. */
async function findOther(typed: string): Promise<string | undefined> {
  const above = dirname(typed);
  const isInner = await hasManage(typed);
  const outer = isInner ? above : typed;
  if (await hasManage(outer)) return undefined;
  const [inner, ...more] = await listDjangoFolders(outer);
  if (inner === undefined || more.length > 0) return undefined;
  if (isInner && inner !== realpathSync(typed)) return undefined;
  // The folder above may be somebody else's, with settings that are not this owner's.
  return statSync(outer).uid === statSync(inner).uid ? (isInner ? outer : inner) : undefined;
}

const mayBeThere = new Set(['instance-not-permitted', 'instance-stopped']);

async function isServed(folder: string): Promise<boolean> {
  try {
    (await connectToInstance(folder, actAsOwner)).socket.destroy();
    return true;
  } catch (error) {
    return error instanceof EasyserveError && mayBeThere.has(error.code);
  }
}

function hasSettingsFile(folder: string): boolean {
  return settingsFileNames.some((name) => existsSync(join(folder, name)));
}

function insideOfProject(folder: string, above: string): ApplicationError {
  return new ApplicationError(
    'no-application',
    `${folder} is a package of a Django project: manage.py is one level up.`,
    {
      hint: `cd ${above}`,
    },
  );
}

import { SettingsError } from '../contracts/errors.js';
import type { Project } from '../contracts/project-facts.js';
import { requireProject } from '../control/state-folder.js';
import { applicationEnvironment } from '../privileges/account.js';
import { Privileges } from '../privileges/privileges.js';
import { type ProjectReader, readerFor, readProject, type Sources } from '../privileges/project-reader.js';
import { type LoadedSettings, loadSettings } from '../settings/load.js';
import { readAccountWords } from '../settings/root-rights.js';

export interface FolderSettings {
  /** With Django's part, where the project is one and could be asked. */
  readonly loaded: LoadedSettings;
  readonly project: Project | undefined;
  /** Why the project could not be looked at. */
  readonly failure: unknown;
  /** Root acts as the user of the site from here on. */
  readonly privileges: Privileges;
}

export interface LookOptions {
  /** Also imports a Django project's application, for its size. */
  readonly measure: boolean;
  /** Also runs Django's own checks, and asks the databases. */
  readonly examine?: boolean;
  /** Default: as the user that would serve the project. */
  readonly reader?: ProjectReader;
}

/**
 * The settings that `easyserve start` would use, without starting anything. Root reads them as the user that would serve the
 * project, and runs its code so. Throws SettingsError, and what Privileges.assume and requireProject throw.
 */
export async function loadFolderSettings(
  sources: Sources,
  { measure, examine, reader }: LookOptions,
): Promise<FolderSettings> {
  const privileges = Privileges.assume(readAccountWords(sources), sources.projectDir);
  // As another user, who may be shut out of the folder.
  if (privileges.account !== undefined) await requireProject(sources.projectDir);
  const first = loadSettings(sources);
  try {
    const usual = readerFor(privileges, sources);
    const env = applicationEnvironment(sources.env, privileges.account);
    const { loaded, project } = await readProject(reader ?? usual, first, { sources, env, measure, examine });
    return { loaded, project, failure: undefined, privileges };
  } catch (failure) {
    if (failure instanceof SettingsError) throw failure;
    return { loaded: first, project: undefined, failure, privileges };
  }
}

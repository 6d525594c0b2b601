import { SettingsError } from '../contracts/errors.js';
import type { Project } from '../contracts/project-facts.js';
import { applicationEnvironment, chooseAccount } from '../privileges/account.js';
import {
  ownReader,
  type ProjectReader,
  readProject,
  type Sources,
  UserReader,
} from '../privileges/project-reader.js';
import { type LoadedSettings, loadSettings } from '../settings/load.js';

export interface FolderSettings {
  /** With Django's part, where the project is one and could be asked. */
  readonly loaded: LoadedSettings;
  readonly project: Project | undefined;
  /** Why the project could not be looked at. */
  readonly failure: unknown;
}

export interface LookOptions {
  /** Also imports a Django project's application, for its size. */
  readonly measure: boolean;
  /** Default: as the user that would serve the project. */
  readonly reader?: ProjectReader;
}

/**
 * The settings that `easyserve start` would use, without starting anything. Root runs the project's code as the user that
 * would serve it. Throws SettingsError.
 */
export async function loadFolderSettings(
  sources: Sources,
  { measure, reader }: LookOptions,
): Promise<FolderSettings> {
  const first = loadSettings(sources);
  try {
    const account = await chooseAccount(first.settings, sources.projectDir);
    const usual = account === undefined ? ownReader : new UserReader(account, sources);
    const env = applicationEnvironment(sources.env, account);
    const { loaded, project } = await readProject(reader ?? usual, first, { sources, env, measure });
    return { loaded, project, failure: undefined };
  } catch (failure) {
    if (failure instanceof SettingsError) throw failure;
    return { loaded: first, project: undefined, failure };
  }
}

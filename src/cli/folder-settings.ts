import { SettingsError } from '../contracts/errors.js';
import type { Project } from '../contracts/project-facts.js';
import { chooseAccount } from '../privileges/account.js';
import { applicationEnvironment } from '../privileges/application-environment.js';
import { ownReader, UserReader } from '../privileges/project-reader.js';
import type { Detection } from '../project/detect-project.js';
import type { DjangoSource } from '../settings/django-layer.js';
import type { SettingFlag } from '../settings/flag-layer.js';
import { type LoadedSettings, loadSettings } from '../settings/load.js';
import type { Settings } from '../settings/settings.js';

export interface FolderSources {
  readonly projectDir: string;
  readonly configFile: string | undefined;
  readonly env: Readonly<Record<string, string | undefined>>;
  readonly flags: readonly SettingFlag[];
}

export interface FolderSettings {
  /** With Django's part, where the project is one and could be asked. */
  readonly loaded: LoadedSettings;
  readonly project: Project | undefined;
  /** Why the project could not be looked at. */
  readonly failure: unknown;
}

/**
 * The settings that `easyserve start` would use, without starting anything. Used by `config`, `check` and `install`. Root
 * runs the project's code as the user that would serve it.
 *
 * In two steps, for Django's settings are read with an interpreter that the other settings may name.
 * Throws SettingsError.
 */
export async function loadFolderSettings(
  sources: FolderSources,
  measure: boolean,
  detect?: (detection: Detection) => Promise<Project>,
): Promise<FolderSettings> {
  const first = loadSettings(sources);
  let project: Project;
  try {
    const { settings } = first;
    const { projectDir: root } = sources;
    const account = await chooseAccount(settings, root);
    const reader = account === undefined ? ownReader : new UserReader(account, sources);
    const env = applicationEnvironment(sources.env, account);
    const withDjango = (django: DjangoSource): Settings => loadSettings({ ...sources, django }).settings;
    const detection = { root, settings, withDjango, env, measure, timeoutMs: settings.readyTimeoutMs };
    project = await (detect ?? ((each) => reader.detect(each)))(detection);
  } catch (failure) {
    if (failure instanceof SettingsError) throw failure;
    return { loaded: first, project: undefined, failure };
  }
  const { django, settingsModule } = project;
  if (django === undefined || settingsModule === undefined)
    return { loaded: first, project, failure: undefined };
  const { easyserver, cheroot } = django;
  const loaded = loadSettings({ ...sources, django: { easyserver, cheroot, settingsModule } });
  return { loaded, project, failure: undefined };
}

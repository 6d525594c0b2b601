import { type Detection, detectProject } from '../project/detect-project.js';
import type { Project } from '../project-facts.js';
import type { SettingFlag } from '../settings/flag-layer.js';
import { type LoadedSettings, loadSettings } from '../settings/load.js';

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
 * The settings that `easyserve start` would use, without starting anything. Used by `config` and `check`.
 *
 * In two steps, for Django's settings are read with an interpreter that the other settings may name.
 * Throws SettingsError.
 */
export async function loadFolderSettings(
  sources: FolderSources,
  measure: boolean,
  detect: (detection: Detection) => Promise<Project> = detectProject,
): Promise<FolderSettings> {
  const first = loadSettings(sources);
  let project: Project;
  try {
    const { settings } = first;
    const { projectDir: root, env } = sources;
    project = await detect({ root, settings, env, measure, timeoutMs: settings.readyTimeoutMs });
  } catch (failure) {
    return { loaded: first, project: undefined, failure };
  }
  const { django, settingsModule } = project;
  if (django === undefined || settingsModule === undefined)
    return { loaded: first, project, failure: undefined };
  const { easyserver, cheroot } = django;
  const loaded = loadSettings({ ...sources, django: { easyserver, cheroot, settingsModule } });
  return { loaded, project, failure: undefined };
}

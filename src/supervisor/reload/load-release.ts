import type { Release } from '../../app/pool/release.js';
import { describeError } from '../../contracts/errors.js';
import { djangoFactsOf, type Project } from '../../contracts/project-facts.js';
import { makeFolder } from '../../privileges/make-folder.js';
import type { Privileges } from '../../privileges/privileges.js';
import { type ProjectReader, readProject } from '../../privileges/project-reader.js';
import { hasFileFunctions } from '../../project/ask-files.js';
import { findReadOnly, wantsCollectStatic } from '../../project/collect-static.js';
import { currentCapacity } from '../../project/current-capacity.js';
import { describeAddresses } from '../../project/owned-addresses.js';
import { planProcesses } from '../../project/process-plan.js';
import { writtenFolders } from '../../project/written-folders.js';
import { loadSettings, type SettingsSources } from '../../settings/load.js';
import type { Settings } from '../../settings/settings.js';

export interface ReleaseSources extends Omit<SettingsSources, 'django'> {
  readonly generation: number;
  /** Runs the project's code, as the user that it belongs to. */
  readonly reader: ProjectReader;
  readonly privileges: Privileges;
  /** What the project is read with, and served with. */
  readonly applicationEnv: Readonly<Record<string, string | undefined>>;
  /** Told what is being done, for the person who waits. */
  readonly onStep: (text: string) => void;
  readonly signal?: AbortSignal;
}

const COLLECT_TIMEOUT_MS = 600_000;

/**
 * Step 1 of every start, reload and restart: the settings, Django's too, read anew in a fresh interpreter. Changes nothing of
 * what runs. Throws SettingsError and ApplicationError.
 */
export async function loadRelease(sources: ReleaseSources): Promise<Release> {
  const { applicationEnv: env, signal, onStep, reader } = sources;
  // What says how to ask Django can't stand in Django.
  const first = loadSettings(sources);
  onStep('reading the project');
  const measure = first.settings.processes === 'auto';
  const { loaded, project: found } = await readProject(reader, first, { sources, env, measure, signal });
  const wantsCollection = wantsCollectStatic(found, loaded.settings);
  const readOnly = wantsCollection ? await findReadOnly(found) : [];
  const isCollected = wantsCollection && readOnly.length === 0;
  const missing = makeFolders(found, { ...sources, settings: loaded.settings, isCollected });
  if (isCollected) {
    onStep('collecting static files');
    await reader.collect(found, { env, timeoutMs: COLLECT_TIMEOUT_MS, signal });
  }
  const project = await withFileAnswers(found, loaded.settings, sources);
  const plan = planProcesses({ settings: loaded.settings, capacity: currentCapacity(), project });
  return {
    generation: sources.generation,
    settings: loaded.settings,
    origins: loaded.origins,
    file: loaded.file,
    project: {
      ...project,
      warnings: [
        ...project.warnings,
        ...missing,
        ...describeAddresses(project, loaded.settings),
        ...readOnly,
      ],
    },
    plan,
  };
}

// Private

/**
 * What the application writes to. Says which folders are missing still: a site may do without uploads, and collectstatic not without
 * its folder. Throws EasyserveError `folder-not-made` for that.
 */
function makeFolders(
  project: Project,
  {
    settings,
    projectDir,
    privileges,
    isCollected,
  }: Pick<ReleaseSources, 'projectDir' | 'privileges'> & {
    readonly settings: Pick<Settings, 'collect'>;
    readonly isCollected: boolean;
  },
): readonly string[] {
  const { staticRoot } = djangoFactsOf(project) ?? {};
  return writtenFolders(project, settings).flatMap((path) => {
    try {
      makeFolder(path, projectDir, privileges);
      return [];
    } catch (error) {
      const { message, hint } = describeError(error);
      if (path === staticRoot && isCollected) throw error;
      return [`${message} To make it: ${hint}`];
    }
  });
}

/** After collectstatic, because each file is asked about that is there. */
async function withFileAnswers(
  project: Project,
  settings: Settings,
  { reader, applicationEnv: env, signal }: ReleaseSources,
): Promise<Project> {
  if (!hasFileFunctions(project, settings)) return project;
  return reader.askFiles(project, { env, settings, timeoutMs: settings.readyTimeoutMs, signal });
}

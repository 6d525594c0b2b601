import { readFileSync } from 'node:fs';
import os from 'node:os';
import type { Project } from '../../contracts/project-facts.js';
import { type ProjectReader, readProject } from '../../privileges/project-reader.js';
import { readCapacity } from '../../project/capacity.js';
import { wantsCollectStatic } from '../../project/collect-static.js';
import { type ProcessPlan, planProcesses } from '../../project/process-plan.js';
import { type LoadedSettings, loadSettings, type SettingsSources } from '../../settings/load.js';

/** Everything that a start, a reload or a restart begins with. */
export interface LoadedRelease extends LoadedSettings {
  readonly project: Project;
  readonly plan: ProcessPlan;
}

export interface ReleaseSources extends Omit<SettingsSources, 'django'> {
  /** Runs the project's code, as the user that it belongs to. */
  readonly reader: ProjectReader;
  /** What the project is read with, and served with. */
  readonly applicationEnv: Readonly<Record<string, string | undefined>>;
  /** Tells a person what takes so long. */
  readonly onStep: (text: string) => void;
  readonly signal?: AbortSignal;
}

const COLLECT_TIMEOUT_MS = 600_000;

/**
 * Step 1 of every reload: the settings, Django's too, read anew in a fresh interpreter. Changes nothing of what runs.
 *
 * Called by launcher at start and by reload. Throws SettingsError and ApplicationError.
 */
export async function loadRelease(sources: ReleaseSources): Promise<LoadedRelease> {
  const { applicationEnv: env, signal, onStep, reader } = sources;
  // What says how to ask Django can't stand in Django.
  const first = loadSettings(sources);
  onStep('reading the project');
  const measure = first.settings.processes === 'auto';
  const { loaded, project } = await readProject(reader, first, { sources, env, measure, signal });
  if (wantsCollectStatic(project, loaded.settings)) {
    onStep('collecting static files');
    await reader.collect(project, { env, timeoutMs: COLLECT_TIMEOUT_MS, signal });
  }
  const plan = planProcesses({ settings: loaded.settings, capacity: currentCapacity(), project });
  return {
    ...loaded,
    project: { ...project, warnings: [...project.warnings, ...warnOfHosts(project)] },
    plan,
  };
}

// Private

/** Also a problem that `easyserve check` finds. */
function warnOfHosts(project: Project): readonly string[] {
  if (project.kind !== 'django' || project.django.isDebug || project.django.allowedHosts.length > 0)
    return [];
  return [
    `ALLOWED_HOSTS is empty, so Django answers every request with 400. Set it in ${project.settingsModule}: ALLOWED_HOSTS = ["www.example.org"]`,
  ];
}

function currentCapacity(): ReturnType<typeof readCapacity> {
  const readFile = (path: string): string | undefined => {
    try {
      return readFileSync(path, 'utf8');
    } catch {
      return undefined; // not this kind of cgroup, or not Linux
    }
  };
  return readCapacity(readFile, {
    platform: process.platform,
    machineCores: os.cpus().length,
    availableParallelism: os.availableParallelism(),
    totalMemoryBytes: os.totalmem(),
  });
}

import { interpreterOf, type Project, withPythonPath } from '../../contracts/project-facts.js';
import type { UpstreamAddress } from '../../contracts/upstream.js';
import type { LaunchPlan } from './application-server.js';

/** A process of the project's interpreter that runs one of the programs in app/python. */
export function planPython(
  project: Project,
  args: readonly string[],
  env: Readonly<Record<string, string | undefined>>,
  address: UpstreamAddress,
): LaunchPlan {
  const python = interpreterOf(project);
  if (python === undefined) throw new Error(`a project of kind ${project.kind} has no Python`);
  return {
    command: python.path,
    args,
    cwd: project.root,
    env:
      project.kind === 'django'
        ? { ...env, DJANGO_SETTINGS_MODULE: project.settingsModule }
        : withPythonPath(env, 'pythonPath' in project ? project.pythonPath : undefined),
    readiness: 'control',
    addresses: [address],
  };
}

import { interpreterOf } from '../../contracts/project-facts.js';
import { withOwnPorts, withPythonPath } from '../../contracts/python-environment.js';
import type { UpstreamAddress } from '../../contracts/upstream.js';
import type { Release } from '../pool/release.js';
import type { LaunchPlan } from './application-server.js';

/** A process of the project's interpreter that runs one of the programs in app/python. */
export function planPython(
  { project, settings }: Pick<Release, 'project' | 'settings'>,
  args: readonly string[],
  inherited: Readonly<Record<string, string | undefined>>,
  address: UpstreamAddress,
): LaunchPlan {
  const python = interpreterOf(project);
  if (python === undefined) throw new Error(`a project of kind ${project.kind} has no Python`);
  const env = withOwnPorts(inherited, settings.appPorts);
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

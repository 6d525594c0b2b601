import type { Project } from '../../contracts/project-facts.js';
import type { UpstreamAddress } from '../../contracts/upstream.js';
import type { LaunchPlan } from './application-server.js';
import { pythonOf } from './python-of.js';

/** A process of the project's interpreter that runs one of our programs; used by GatewayServer, CherootServer and AsgiServer. */
export function planPython(
  project: Project,
  args: readonly string[],
  env: Readonly<Record<string, string | undefined>>,
  address: UpstreamAddress,
): LaunchPlan {
  return {
    execution: 'process',
    command: pythonOf(project).path,
    args,
    cwd: project.root,
    env: project.kind === 'django' ? { ...env, DJANGO_SETTINGS_MODULE: project.settingsModule } : env,
    readiness: 'control',
    addresses: [address],
  };
}

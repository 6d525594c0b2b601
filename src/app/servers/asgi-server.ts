import { fileURLToPath } from 'node:url';
import type { AsgiServerName } from '../../contracts/project-facts.js';
import type { Release } from '../pool/release.js';
import { CONTROL_FD } from '../process/process-group.js';
import type { ApplicationServer, LaunchPlan } from './application-server.js';
import { planPython } from './python-plan.js';

const programPath = fileURLToPath(new URL('../python/serve_asgi.py', import.meta.url));

/** uvicorn, granian, hypercorn or daphne, in the project's interpreter. */
export class AsgiServer implements ApplicationServer {
  readonly name: AsgiServerName;
  readonly #env: Readonly<Record<string, string | undefined>>;

  constructor(name: AsgiServerName, env: Readonly<Record<string, string | undefined>>) {
    this.name = name;
    this.#env = env;
  }

  concurrency({ settings }: Release): number {
    return settings.concurrency;
  }

  plan(release: Release, socketPath: string): LaunchPlan {
    const { project, settings } = release;
    const args = [
      programPath,
      `--server=${this.name}`,
      `--socket=${socketPath}`,
      `--application=${project.application}`,
      `--control-fd=${CONTROL_FD}`,
      `--script-name=${settings.scriptName}`,
      `--max-header-bytes=${settings.maxHeaderBytes}`,
    ];
    return planPython(release, args, this.#env, { protocol: 'http', place: { path: socketPath } });
  }
}

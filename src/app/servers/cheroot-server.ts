import { fileURLToPath } from 'node:url';
import type { Release } from '../pool/release.js';
import { CONTROL_FD } from '../process/process-group.js';
import type { ApplicationServer, LaunchPlan } from './application-server.js';
import { planPython } from './python-plan.js';

const programPath = fileURLToPath(new URL('../python/serve_cheroot.py', import.meta.url));

/** Cheroot's default is 5, and a full backlog refuses new connections. */
const BACKLOG = 2048;

/** Cheroot, in the project's interpreter, with what the cheroot setting says. */
export class CherootServer implements ApplicationServer {
  readonly name = 'cheroot';
  readonly #env: Readonly<Record<string, string | undefined>>;

  constructor(env: Readonly<Record<string, string | undefined>>) {
    this.#env = env;
  }

  /** One request a thread: Cheroot's pool never grows (https://github.com/cherrypy/cheroot/issues/190). */
  concurrency({ plan }: Release): number {
    return plan.threads;
  }

  plan(release: Release, socketPath: string): LaunchPlan {
    const { settings, plan } = release;
    const keywords = { request_queue_size: BACKLOG, ...settings.cheroot, numthreads: plan.threads };
    const args = [
      programPath,
      `--socket=${socketPath}`,
      `--application=${release.project.application}`,
      `--control-fd=${CONTROL_FD}`,
      `--script-name=${settings.scriptName}`,
      `--keywords=${JSON.stringify(keywords)}`,
      ...(plan.processes > 1 ? ['--multiprocess'] : []),
    ];
    return planPython(release, args, this.#env, { protocol: 'http', place: { path: socketPath } });
  }
}

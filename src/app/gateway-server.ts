import { fileURLToPath } from 'node:url';
import type { ApplicationServer, LaunchPlan } from './application-server.js';
import type { Release } from './release.js';

/** The descriptor that joins a gateway to easyserve; see Control in gateway.py. */
export const CONTROL_FD = 3;

const gatewayPath = fileURLToPath(new URL('../python/gateway.py', import.meta.url));

/** The default for WSGI: our own gateway, in the project's interpreter. */
export class GatewayServer implements ApplicationServer {
  readonly name = 'gateway';
  readonly #env: Readonly<Record<string, string | undefined>>;

  constructor(env: Readonly<Record<string, string | undefined>>) {
    this.#env = env;
  }

  plan(release: Release, socketPath: string): LaunchPlan {
    const { project } = release;
    const args = [
      gatewayPath,
      `--socket=${socketPath}`,
      `--application=${project.application}`,
      `--threads=${release.threads}`,
      `--control-fd=${CONTROL_FD}`,
    ];
    const env = { ...this.#env };
    if (project.settingsModule !== undefined) env.DJANGO_SETTINGS_MODULE = project.settingsModule;
    return { command: project.python.path, args, cwd: project.root, env };
  }
}

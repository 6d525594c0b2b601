import { randomBytes } from 'node:crypto';
import { fileURLToPath } from 'node:url';
import type { UpstreamAddress } from '../../contracts/upstream.js';
import type { Settings } from '../../settings/settings.js';
import type { Release } from '../pool/release.js';
import { CONTROL_FD } from '../process/process-group.js';
import type { ApplicationServer, LaunchPlan } from './application-server.js';
import { planPython } from './python-plan.js';

const gatewayPath = fileURLToPath(new URL('../python/gateway.py', import.meta.url));

const SECRET_BYTES = 32;

/** The default for WSGI: our own gateway, in the project's interpreter. */
export class GatewayServer implements ApplicationServer {
  readonly name = 'gateway';
  readonly #env: Readonly<Record<string, string | undefined>>;
  readonly #platform: NodeJS.Platform;

  constructor(env: Readonly<Record<string, string | undefined>>, platform: NodeJS.Platform) {
    this.#env = env;
    this.#platform = platform;
  }

  concurrency({ plan }: Release): number {
    return plan.threads;
  }

  plan(release: Release, socketPath: string): LaunchPlan {
    const { project, settings } = release;
    const isTcp = isOverTcp(settings, this.#platform);
    const args = [
      gatewayPath,
      isTcp ? '--tcp' : `--socket=${socketPath}`,
      `--application=${project.application}`,
      `--threads=${release.plan.threads}`,
      `--control-fd=${CONTROL_FD}`,
      `--script-name=${settings.scriptName}`,
    ];
    const address = isTcp
      ? chosenByGateway()
      : ({ protocol: 'gateway', place: { path: socketPath } } as const);
    return planPython(release, args, this.#env, address);
  }
}

// Private

/** Python has no Unix sockets on Windows (https://github.com/python/cpython/issues/77589). */
function isOverTcp({ transport }: Pick<Settings, 'transport'>, platform: NodeJS.Platform): boolean {
  return transport === 'tcp' || (transport === 'auto' && platform === 'win32');
}

/** The gateway chooses a free port and reports it. Anyone on the machine may connect there, hence the secret. */
function chosenByGateway(): UpstreamAddress {
  const secret = randomBytes(SECRET_BYTES).toString('hex');
  return { protocol: 'gateway', place: { host: '127.0.0.1', port: 0 }, secret };
}

import { randomBytes } from 'node:crypto';
import { fileURLToPath } from 'node:url';
import type { UpstreamAddress } from '../../contracts/upstream.js';
import type { Release } from '../pool/release.js';
import { CONTROL_FD } from '../process/process-execution.js';
import type { ApplicationServer, LaunchPlan } from './application-server.js';
import { planPython } from './python-plan.js';
import { isOverTcp } from './transport.js';

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

  concurrency({ threads }: Release): number {
    return threads;
  }

  plan(release: Release, socketPath: string): LaunchPlan {
    const { project, settings } = release;
    const isTcp = isOverTcp(settings, this.#platform);
    const args = [
      gatewayPath,
      isTcp ? '--tcp' : `--socket=${socketPath}`,
      `--application=${project.application}`,
      `--threads=${release.threads}`,
      `--control-fd=${CONTROL_FD}`,
    ];
    const address = isTcp ? portToCome() : ({ protocol: 'gateway', place: { path: socketPath } } as const);
    return planPython(project, args, this.#env, address);
  }
}

// Private

/** The gateway takes a free port, and tells which; anyone on the machine may connect there, hence the secret. */
function portToCome(): UpstreamAddress {
  const secret = randomBytes(SECRET_BYTES).toString('hex');
  return { protocol: 'gateway', place: { host: '127.0.0.1', port: 0 }, secret };
}

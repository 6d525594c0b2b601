import { fileURLToPath } from 'node:url';
import { type NodeOrder, orderVariable } from '../../contracts/node-order.js';
import type { Release } from '../pool/release.js';
import type { ApplicationServer, LaunchPlan } from './application-server.js';

const preloadPath = fileURLToPath(new URL('../node/preload.js', import.meta.url));
/** Most examples in the documentation of Node.js frameworks use it. */
const USUAL_PORT = 3000;

const howToListen = 'It has to call listen(), on any port, or to export its handler or its server.';

type Environment = Readonly<Record<string, string | undefined>>;

/** Node.js applications, run by the Node that runs easyserve; app/node/preload puts them on the socket. */
export class NodeServer implements ApplicationServer {
  readonly name = 'node';
  readonly #env: Environment;
  readonly #node: string;

  constructor(env: Environment, node: string) {
    this.#env = env;
    this.#node = node;
  }

  concurrency({ settings }: Release): number {
    return settings.concurrency;
  }

  plan({ project, settings }: Release, socketPath: string): LaunchPlan {
    if (project.kind !== 'node') throw new Error(`a project of kind ${project.kind} is none of Node.js`);
    const { nodeArgs, args, env: scriptEnv } = project.node;
    const file = project.application;
    const env: Record<string, string | undefined> = { NODE_ENV: 'production', ...this.#env, ...scriptEnv };
    env.PORT = env.PORT || String(settings.port || USUAL_PORT);
    const { appPorts } = settings;
    const order: NodeOrder = { socketPath, port: Number(env.PORT) || USUAL_PORT, appPorts, file };
    return {
      command: this.#node,
      args: ['--require', preloadPath, ...nodeArgs, file, ...args],
      cwd: project.root,
      env: { ...env, [orderVariable]: JSON.stringify(order) },
      readiness: 'control',
      addresses: [{ protocol: 'http', place: { path: socketPath } }],
      hints: { endedEarly: howToListen, neverReady: howToListen },
    };
  }
}

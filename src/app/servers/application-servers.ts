import type { ServerName } from '../../contracts/project-facts.js';
import type { ApplicationServer } from './application-server.js';
import { AsgiServer } from './asgi-server.js';
import { CherootServer } from './cheroot-server.js';
import { CommandServer } from './command-server.js';
import { GatewayServer } from './gateway-server.js';
import { NodeServer } from './node-server.js';

/** Every kind of application server, by the name that the project's facts give. */
export function createApplicationServers(
  env: Readonly<Record<string, string | undefined>>,
  platform: NodeJS.Platform,
): Partial<Record<ServerName, ApplicationServer>> {
  return {
    gateway: new GatewayServer(env, platform),
    cheroot: new CherootServer(env),
    uvicorn: new AsgiServer('uvicorn', env),
    granian: new AsgiServer('granian', env),
    hypercorn: new AsgiServer('hypercorn', env),
    daphne: new AsgiServer('daphne', env),
    command: new CommandServer(env, platform),
    node: new NodeServer(env, process.execPath),
  };
}

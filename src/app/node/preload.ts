/**
 * What every Node.js application that easyserve runs begins with: `node --require preload.js [flags] file`
 * (app/servers/node-server). Everything else is as under plain `node file`: require.main, process.argv, ESM, TypeScript.
 *
 * Without an order it does nothing: the application's own threads inherit the flag.
 */
import { type NodeOrder, orderVariable } from '../../contracts/node-order.js';
import { ignoreStraySignals } from '../../contracts/stray-signals.js';
import { HostedApplication } from './hosted-application.js';

const order = process.env[orderVariable];
if (order !== undefined) {
  ignoreStraySignals({ isApplication: true });
  delete process.env[orderVariable];
  // The application's children must not inherit the flag of node-server, which comes first: `--require preload.js`.
  process.execArgv.splice(0, 2);
  new HostedApplication(JSON.parse(order) as NodeOrder, { isLoadedLate: hasOtherPreloads() });
}

// Private

/** Whether Node loads other modules before the application's file, which may take a while. */
function hasOtherPreloads(): boolean {
  const flags = [...process.execArgv, process.env.NODE_OPTIONS ?? ''].join(' ');
  return /--(import|loader|experimental-loader)\b/.test(flags);
}

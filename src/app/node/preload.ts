/**
 * The beginning of every Node.js application that easyserve runs: `node --require preload.js [flags] file`, or a thread with
 * the same flag (app/node-server). Everything else is as under plain `node file`: require.main, process.argv, ESM, TypeScript.
 *
 * Without an order it does nothing: the application's own threads inherit the flag.
 */
import { syncBuiltinESMExports } from 'node:module';
import workerThreads, { type MessagePort } from 'node:worker_threads';
import { type NodeOrder, orderVariable, type ThreadData } from '../../contracts/node-order.js';
import { DescriptorLink } from './descriptor-link.js';
import { HostedApplication } from './hosted-application.js';
import type { Link } from './link.js';
import { Termination } from './termination.js';
import { watchThreadBounds } from './thread-bounds.js';
import { ThreadLink } from './thread-link.js';
import { redirectDescriptors } from './thread-output.js';

const order = process.env[orderVariable];
const data = workerThreads.workerData as Partial<ThreadData<MessagePort>> | null;
if (order !== undefined) hostInProcess(JSON.parse(order) as NodeOrder);
else if (data?.easyserveOrder !== undefined) hostInThread(data as ThreadData<MessagePort>);

// Private

function hostInProcess(given: NodeOrder): void {
  delete process.env[orderVariable];
  const isLoadedLate = removePreload();
  let link: Link | undefined;
  const termination = new Termination(() => link?.tell({ event: 'terminated' }));
  ({ link } = new HostedApplication({
    order: given,
    join: (onCommand) => new DescriptorLink(onCommand),
    sayTerminate: () => termination.deliver(),
    isLoadedLate,
  }));
}

function hostInThread({ easyserveOrder, easyservePort }: ThreadData<MessagePort>): void {
  const isLoadedLate = removePreload();
  // Many applications start only on the main thread, and this one is meant to be it.
  Object.assign(workerThreads, { isMainThread: true, parentPort: null, workerData: null });
  syncBuiltinESMExports();
  redirectDescriptors();
  let link: ThreadLink | undefined;
  const application = new HostedApplication({
    order: easyserveOrder,
    join: (onCommand) => {
      link = new ThreadLink(easyservePort, onCommand);
      return link;
    },
    sayTerminate: () => false,
    isLoadedLate,
  });
  watchThreadBounds((what) => {
    link?.needProcess(what, application.isReady);
    // Nothing more of it may run: it begins anew in a process.
    if (!application.isReady) process.exit(0);
  });
}

/** The application's children shall not inherit it. Answers whether there are other modules that are loaded first. */
function removePreload(): boolean {
  // The flags of app/node-server; they come first.
  process.execArgv.splice(0, process.execArgv[2] === '--force-context-aware' ? 3 : 2);
  const flags = [...process.execArgv, process.env.NODE_OPTIONS ?? ''].join(' ');
  return /--(import|loader|experimental-loader)\b/.test(flags);
}

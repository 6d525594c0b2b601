/**
 * What app/ (which starts Node.js applications) and node/ (which runs inside of them) agree on; neither imports the other.
 */

/** What the runner has to know; in the environment of a process, in the workerData of a thread. */
export interface NodeOrder {
  /** Where the application has to listen, whatever port it names. */
  readonly socketPath: string;
  /** What a server that names no port says that it listens on. */
  readonly port: number;
  /** The file that Node runs, absolute. */
  readonly file: string;
}

/** Of a process: the order as JSON. The runner removes it, so that the application's children are not taken for one. */
export const orderVariable = 'EASYSERVE_NODE_ORDER';

/** The workerData of a thread; `port` is a MessagePort. */
export interface ThreadData<P> {
  readonly easyserveOrder: NodeOrder;
  readonly easyservePort: P;
}

/** From a thread to easyserve. */
export type ThreadReport =
  /** One of the events of app/app-control, as JSON. */
  | { readonly line: string }
  /** It does what no thread can do; `isReady`: it was running already, and goes on. */
  | { readonly needsProcess: string; readonly isReady: boolean }
  /** The heap and the buffers of the thread. */
  | { readonly usedBytes: number };

/** From easyserve to a thread. */
export type ThreadRequest =
  /** One of the commands of app/app-control, as JSON. */
  { readonly line: string } | { readonly measure: true };

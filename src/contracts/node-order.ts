/** What app/servers/node-server, which starts Node.js applications, tells app/node, which runs inside of them. */
export interface NodeOrder {
  /** Where the application has to listen, whatever port it names. */
  readonly socketPath: string;
  /** What a server that names no port says that it listens on. */
  readonly port: number;
  /** Ports that the application opens for itself, beside the site. */
  readonly appPorts: readonly number[];
  /** The file that Node runs, absolute. */
  readonly file: string;
}

/** The environment variable with the order as JSON. Removed at once, so that the application's children don't obey it. */
export const orderVariable = 'EASYSERVE_NODE_ORDER';

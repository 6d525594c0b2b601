import cluster from 'node:cluster';
import type { Server as HttpServer } from 'node:http';
import type { Server, Socket } from 'node:net';
import { pathToFileURL } from 'node:url';
import { Lifecycle } from '../../contracts/lifecycle.js';
import type { NodeOrder } from '../../contracts/node-order.js';
import { ControlLink, type LinkCommand } from './control-link.js';
import { listenerFor } from './exported-application.js';
import { type Refusal, SocketListening } from './socket-listening.js';
import { Termination } from './termination.js';

/** How long an application that exports its server, and is kept alive by something else, may take to listen by itself. */
const LISTEN_GRACE_MS = 3000;
/** On a stop only streams are left: they get the end of their connection, and no more time than it takes to send it. */
const GOODBYE_MS = 1000;

const following = {
  loading: ['ready', 'failed', 'stopping'],
  ready: ['stopping'],
  failed: ['stopping'],
  stopping: [],
} as const;

/**
 * The application of this process, seen from inside: puts its server on the socket, tells easyserve when it is ready or why it
 * never will be, and ends it. Has to be made before Node loads the application's file.
 */
export class HostedApplication {
  readonly #order: NodeOrder;
  readonly #link: ControlLink;
  readonly #termination: Termination;
  readonly #listening: SocketListening;
  readonly #connections = new Set<Socket>();
  readonly #lifecycle = new Lifecycle<keyof typeof following>(following, 'loading', () => {});
  /** Node has nothing left to do. */
  #hasEnded = false;

  /** `isLoadedLate`: Node loads other modules before the application (`--import`), and that may take a while. */
  constructor(order: NodeOrder, { isLoadedLate }: { readonly isLoadedLate: boolean }) {
    this.#order = order;
    this.#link = new ControlLink((command) => this.#obey(command));
    this.#termination = new Termination(() => this.#link.tell({ event: 'terminated' }));
    this.#listening = new SocketListening(order, {
      onListening: () => this.#onListening(),
      onRefused: (server, refusal) => this.#refuse(server, refusal),
    });
    this.#watchEnd();
    this.#watchExports(isLoadedLate);
    this.#refuseCluster();
  }

  // Private

  #onListening(): void {
    this.#site()?.on('connection', (socket: Socket) => {
      this.#connections.add(socket);
      socket.once('close', () => this.#connections.delete(socket));
    });
    // After what the application itself does in this turn, which may be to listen twice.
    setImmediate(() => {
      if (!this.#lifecycle.canBecome('ready')) return;
      this.#lifecycle.become('ready');
      this.#link.tell({ event: 'ready' });
    });
  }

  #site(): HttpServer | undefined {
    return this.#listening.site;
  }

  /** Before it is ready nothing of it can be used; later it is an error of this one server, like Node's EADDRINUSE. */
  #refuse(server: Server, { reason, hint }: Refusal): void {
    const { state } = this.#lifecycle;
    if (state === 'loading' || state === 'failed') {
      this.#tellFailure(reason, hint);
      process.exit(1);
    }
    const error = new Error(`easyserve: ${reason}`);
    process.nextTick(() => server.emit('error', error));
  }

  #tellFailure(reason: string, hint?: string): void {
    if (!this.#lifecycle.canBecome('failed')) return;
    this.#lifecycle.become('failed');
    this.#link.tell({ event: 'failed', reason, hint });
  }

  #watchEnd(): void {
    // Node reports the error itself, and ends.
    process.on('uncaughtExceptionMonitor', (error) => this.#tellFailure(describeThrown(error)));
    process.on('exit', (code) => {
      this.#tellFailure(
        this.#hasEnded
          ? 'it ended without listening, and exports neither a handler nor a server'
          : `it called process.exit(${code}) before it listened`,
      );
    });
  }

  /**
   * An application that does not listen may export its handler: certainly when Node would end it, having nothing left to do,
   * and probably when it has not listened for a while.
   */
  #watchExports(isLoadedLate: boolean): void {
    process.once('beforeExit', () => {
      this.#hasEnded = true;
      if (this.#site() === undefined && this.#lifecycle.state !== 'stopping') void this.#serveExports();
    });
    if (isLoadedLate) return;
    setTimeout(() => {
      if (this.#site() === undefined && this.#lifecycle.state === 'loading') void this.#serveExports();
    }, LISTEN_GRACE_MS).unref();
  }

  async #serveExports(): Promise<void> {
    const { file, port } = this.#order;
    // It is loaded already, or is being loaded: this runs nothing twice. Node has reported why it could not be.
    const exported: unknown = await import(pathToFileURL(file).href).catch(() => undefined);
    const listen = listenerFor(exported, port);
    if (listen !== undefined && this.#site() === undefined) this.#listening.listenFor(listen);
  }

  /** Its workers would share a port that the front does not connect to, and easyserve has the processes. */
  #refuseCluster(): void {
    cluster.fork = () => {
      const reason = 'it forks a cluster of its own';
      this.#tellFailure(reason, 'Let easyserve have the processes: easyserve start --processes auto');
      throw new Error(`easyserve: ${reason}`);
    };
  }

  #obey(command: LinkCommand): void {
    if (command === 'stop') this.#stop();
    else this.#link.tell({ event: 'stacks', stacks: describeIdleness() });
  }

  #stop(): void {
    if (!this.#lifecycle.canBecome('stopping')) return;
    this.#lifecycle.become('stopping');
    if (this.#termination.deliver()) return;
    const site = this.#site();
    if (site === undefined) process.exit(0);
    site.close(() => process.exit(0));
    site.closeIdleConnections();
    for (const connection of this.#connections) connection.end();
    setTimeout(() => process.exit(0), GOODBYE_MS);
  }
}

// Private

function describeThrown(thrown: unknown): string {
  if (!(thrown instanceof Error)) return `it threw ${String(thrown)}`;
  // The error of a missing module lists, below its first line, who required it; the output has that too.
  return `${thrown.name}: ${thrown.message.split('\n')[0]}`;
}

/** The event loop answers, so no function of the application runs: what it waits for is all that can be said. */
function describeIdleness(): Readonly<Record<string, string>> {
  const resources = [...new Set(process.getActiveResourcesInfo())].join(', ');
  return { main: `Its event loop is free: it waits for something outside (open: ${resources}).` };
}

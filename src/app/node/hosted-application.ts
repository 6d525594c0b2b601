import cluster from 'node:cluster';
import type { Server as HttpServer } from 'node:http';
import type { Server, Socket } from 'node:net';
import { pathToFileURL } from 'node:url';
import type { NodeOrder } from '../../contracts/node-order.js';
import { listenerFor } from './exported-application.js';
import type { Link, LinkCommand } from './link.js';
import { type Refusal, SocketListening } from './socket-listening.js';

/** An application that exports its server, and is kept alive by something else, is given so long to listen by itself. */
const LISTEN_GRACE_MS = 3000;
/** On a stop only streams are left: they get the end of their connection, and no more time than it takes to send it. */
const GOODBYE_MS = 1000;

export interface HostedApplicationOptions {
  readonly order: NodeOrder;
  /** Makes the link; its commands go to the listener. */
  readonly join: (onCommand: (command: LinkCommand) => void) => Link;
  /** Of a process: SIGTERM, which an application may handle by itself. False: it does not. */
  readonly sayTerminate: () => boolean;
  /** Whether Node loads modules of the person before the application (`--import`), and takes its time with it. */
  readonly isLoadedLate: boolean;
}

/**
 * The application of this process or thread, seen from inside: puts its server on the socket, tells easyserve when it is
 * ready or why it never will be, and ends it. Made by preload, before Node loads the application's file.
 */
export class HostedApplication {
  readonly #options: HostedApplicationOptions;
  readonly #link: Link;
  readonly #listening: SocketListening;
  readonly #connections = new Set<Socket>();
  #hasEnded = false;
  #isReady = false;
  #hasFailed = false;
  #isStopping = false;

  constructor(options: HostedApplicationOptions) {
    this.#options = options;
    this.#link = options.join((command) => this.#obey(command));
    this.#listening = new SocketListening(options.order, {
      onListening: () => this.#onListening(),
      onRefused: (server, refusal) => this.#refuse(server, refusal),
    });
    this.#watchEnd();
    this.#watchExports();
    this.#refuseCluster();
  }

  get link(): Link {
    return this.#link;
  }

  get isReady(): boolean {
    return this.#isReady;
  }

  // Private

  #onListening(): void {
    this.#site()?.on('connection', (socket: Socket) => {
      this.#connections.add(socket);
      socket.once('close', () => this.#connections.delete(socket));
    });
    // After what the application itself does in this turn: it may be that it listens twice.
    setImmediate(() => {
      if (this.#hasFailed || this.#isReady) return;
      this.#isReady = true;
      this.#link.tell({ event: 'ready' });
    });
  }

  #site(): HttpServer | undefined {
    return this.#listening.site;
  }

  /** Before it is ready nothing of it can be used; later it is an error of this one server, as Node's own EADDRINUSE. */
  #refuse(server: Server, { reason, hint }: Refusal): void {
    if (!this.#isReady) {
      this.#tellFailure(reason, hint);
      process.exit(1);
    }
    const error = new Error(`easyserve: ${reason}`);
    process.nextTick(() => server.emit('error', error));
  }

  #tellFailure(reason: string, hint?: string): void {
    if (this.#isReady || this.#hasFailed || this.#isStopping) return;
    this.#hasFailed = true;
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
   * An application that does not listen may export its handler. Surely so when Node would end it, having nothing left to do;
   * and probably when it has not listened for a while.
   */
  #watchExports(): void {
    process.once('beforeExit', () => {
      this.#hasEnded = true;
      if (this.#site() === undefined && !this.#isStopping) void this.#serveExports();
    });
    if (this.#options.isLoadedLate) return;
    setTimeout(() => {
      if (this.#site() === undefined && !this.#isReady) void this.#serveExports();
    }, LISTEN_GRACE_MS).unref();
  }

  async #serveExports(): Promise<void> {
    const { file, port } = this.#options.order;
    // It has been loaded, or is being loaded: this runs nothing twice.
    const exported: unknown = await import(pathToFileURL(file).href).catch(() => undefined); // Node has reported it
    const listen = listenerFor(exported, port);
    if (listen !== undefined && this.#site() === undefined) this.#listening.listenFor(listen);
  }

  /** The workers of a cluster would share a port that nobody asks for; and easyserve has the processes. */
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
    if (this.#isStopping) return;
    this.#isStopping = true;
    if (this.#options.sayTerminate()) return;
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
  // Those of a missing module list, below the first line, who required it: that stands in the output too.
  return `${thrown.name}: ${thrown.message.split('\n')[0]}`;
}

/** The event loop answers, so no function of the application runs: what it waits for is all that can be said. */
function describeIdleness(): Readonly<Record<string, string>> {
  const resources = [...new Set(process.getActiveResourcesInfo())].join(', ');
  return { main: `Its event loop is free: it waits for something outside (open: ${resources}).` };
}

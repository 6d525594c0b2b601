import type { NodeOrder } from '../../contracts/node-order.js';
import type { UpstreamAddress } from '../../contracts/upstream.js';
import type { Release } from '../pool/release.js';

/** A worker thread of this process, which runs a JavaScript file. */
export interface ThreadPlan {
  /** Absolute. */
  readonly file: string;
  /** Flags of Node.js; not all of them are for threads. */
  readonly execArgv: readonly string[];
  readonly argv: readonly string[];
  readonly order: NodeOrder;
  readonly env: Readonly<Record<string, string | undefined>>;
}

/** How to start one application process, or thread; made by one file per kind of server (gateway-server.ts). */
export interface LaunchPlan {
  readonly execution: 'process' | 'thread';
  /** With execution `thread` what to run; all else is the process that takes its place where no thread will do. */
  readonly thread?: ThreadPlan;
  readonly command: string;
  readonly args: readonly string[];
  readonly cwd: string;
  readonly env: Readonly<Record<string, string | undefined>>;
  /**
   * How it is known that it takes requests: it says so on descriptor 3 (`control`), or one of the addresses accepts a
   * connection (`accepts`), asked again and again.
   */
  readonly readiness: 'control' | 'accepts';
  /** Where it will listen; with `accepts` the first one that does counts. */
  readonly addresses: readonly [UpstreamAddress, ...UpstreamAddress[]];
  /** What to do about it, for a person. */
  readonly hints?: {
    /** It ended with code 0 before it was ready. */
    readonly endedEarly: string;
    /** It was not ready within readyTimeoutMs. */
    readonly neverReady: string;
  };
}

/** A kind of application server. */
export interface ApplicationServer {
  readonly name: string;
  /** `socketPath` is fresh, and removed when the process has ended; a server that needs a port instead chooses one. */
  plan(release: Release, socketPath: string): LaunchPlan;
  /** How many requests one process gets at the same time. */
  concurrency(release: Release): number;
}

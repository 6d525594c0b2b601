import type { UpstreamAddress } from '../../contracts/upstream.js';
import type { Release } from '../pool/release.js';

/** How to start one application process. */
export interface LaunchPlan {
  readonly command: string;
  readonly args: readonly string[];
  readonly cwd: string;
  readonly env: Readonly<Record<string, string | undefined>>;
  /**
   * How it becomes known that it takes requests: it reports that on descriptor 3 (`control`), or one of the addresses accepts
   * a connection (`accepts`, ReadinessPoll).
   */
  readonly readiness: 'control' | 'accepts';
  /** Where it will listen; with `accepts` the first one that does counts. */
  readonly addresses: readonly [UpstreamAddress, ...UpstreamAddress[]];
  /** What a person can do about a failed start. */
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
  /** `socketPath` does not exist yet, and is removed when the process has ended; a server that needs a port chooses one. */
  plan(release: Release, socketPath: string): LaunchPlan;
  /** How many requests one process gets at the same time. */
  concurrency(release: Release): number;
}

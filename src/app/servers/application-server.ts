import type { UpstreamAddress } from '../../contracts/upstream.js';
import type { Release } from '../pool/release.js';

/** How to start one application process. */
export interface LaunchPlan {
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

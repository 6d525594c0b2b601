import type { ErrorRecord } from './errors.js';
import type { AppState, InstanceState } from './lifecycle.js';
import type { Project } from './project-facts.js';

/** What an instance tells about itself: `easyserve status --json`, documented in docs/status.md. Fields are only ever added. */
export interface InstanceStatus {
  readonly state: InstanceState;
  readonly mode: 'single' | 'cluster';
  /** Why this mode, in one sentence. */
  readonly reason: string;
  readonly version: string;
  readonly pid: number;
  readonly urls: readonly string[];
  readonly generation: number;
  /** ISO 8601. */
  readonly startedAt: string;
  readonly project: {
    readonly root: string;
    readonly kind: Project['kind'];
    readonly application: string;
    /** What runs it, like `gateway` or `uvicorn`. */
    readonly server: Project['server'];
    /** The interpreter; absent where no Python runs the application. */
    readonly python?: string | undefined;
  };
  /** Of HTTPS; empty where it is off, and with one that is for development only. */
  readonly certificates: readonly CertificateStatus[];
  /** The last reload that was refused, while nothing newer succeeded. */
  readonly lastReloadError?: ErrorRecord | undefined;
  readonly sites: readonly SiteStatus[];
}

/** Why the last order failed, as it is shown and kept. */
export interface OrderError {
  readonly code: string;
  readonly sentence: string;
  readonly hint?: string | undefined;
  /** In the words of the certificate authority. */
  readonly detail?: string | undefined;
  /** ISO 8601. */
  readonly at: string;
}

/**
 * One certificate, as `easyserve status` shows it.
 *
 *   placeholder  there is none yet: HTTPS is served with one that nobody trusts
 *   valid        nothing to do until nextRenewalAt
 *   renewing     a new one is being ordered; the old one is served
 *   failing      the last order failed, or the files that stand there now can't be used; what there was is served
 */
export type CertificateState = 'placeholder' | 'valid' | 'renewing' | 'failing';

export interface CertificateStatus {
  readonly names: readonly string[];
  readonly state: CertificateState;
  readonly issuer: string | undefined;
  /** ISO 8601. */
  readonly notAfter: string | undefined;
  /** ISO 8601: the next renewal, or the next try after a failure; undefined for one of your own. */
  readonly nextRenewalAt: string | undefined;
  readonly lastError: OrderError | undefined;
}

export interface SiteStatus {
  /** The process that holds the front: the instance itself in single mode, a throng worker in cluster mode. */
  readonly pid: number;
  readonly queued: number;
  readonly connections: number;
  readonly apps: readonly AppStatus[];
  /** One more process while requests crash: suspects run on it, and it takes the place of one that has ended. */
  readonly standby?: AppStatus | undefined;
  /** Addresses that have ended processes of this site in the last 10 minutes, the worst first. */
  readonly suspects: readonly SuspectStatus[];
}

/** An address whose requests end processes. */
export interface SuspectStatus {
  readonly method: string;
  /** Without the query. */
  readonly path: string;
  /** How many processes it has ended. */
  readonly processes: number;
  /** What becomes of its next request: sent as `usual`, run `apart` on the standby process, or `refused` with a 502. */
  readonly treatment: 'usual' | 'apart' | 'refused';
  /** ISO 8601. */
  readonly lastAt: string;
}

export interface AppStatus {
  readonly pid: number;
  readonly state: AppState;
  readonly generation: number;
  readonly threads: number;
  readonly inFlight: number;
  /** Of these the WebSockets and event streams. */
  readonly streams: number;
  /** Requests finished by this process. */
  readonly requests: number;
  /** Times that this place in the pool was refilled after a crash. */
  readonly restarts: number;
  /** Its resident size; undefined where the system does not tell. */
  readonly rssBytes: number | undefined;
  readonly startedAt: string;
}

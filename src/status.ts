import type { ErrorRecord } from './errors.js';
import type { AppState, InstanceState } from './lifecycle.js';

/**
 * What an instance tells about itself: made by app/ and site, sent over the control socket, shown by cli/status.
 *
 * `easyserve status --json`, documented in docs/status.md: fields are only ever added.
 */
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
    readonly kind: string;
    readonly application: string;
    readonly python: string;
  };
  /** The last reload that was refused, while nothing newer succeeded. */
  readonly lastReloadError?: ErrorRecord | undefined;
  readonly sites: readonly SiteStatus[];
}

export interface SiteStatus {
  /** The process that holds the front: the instance itself in single mode, a throng worker in cluster mode. */
  readonly pid: number;
  readonly queued: number;
  readonly connections: number;
  readonly apps: readonly AppStatus[];
}

export interface AppStatus {
  readonly pid: number;
  readonly state: AppState;
  readonly generation: number;
  readonly threads: number;
  readonly inFlight: number;
  /** Requests finished by this process. */
  readonly requests: number;
  /** Times that this place in the pool was refilled after a crash. */
  readonly restarts: number;
  /** Undefined where the system does not tell. */
  readonly rssBytes: number | undefined;
  readonly startedAt: string;
}

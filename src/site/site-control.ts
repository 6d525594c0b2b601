import type { ProbeRule } from '../app/pool/health.js';
import type { Release } from '../app/pool/release.js';
import type { Scheme } from '../contracts/scheme.js';
import type { SiteStatus } from '../contracts/status.js';
import type { TlsMaterial } from '../contracts/tls-material.js';
import type { Settings } from '../settings/settings.js';
import type { SocketHandle } from '../sockets/socket-handle.js';

/**
 * What a runner can ask of a site. Site does it; cluster/WorkerHandle has the site of a throng worker do it, and throws
 * StartError `worker-exited` where that is gone, or does not answer in time.
 *
 * The order of a reload: prepare, then commit or discard, then drained.
 */
export interface SiteControl {
  /** Of the process that holds the front. */
  readonly pid: number;
  /** Starts so many processes of a release beside the current one. Throws StartError; nothing has changed then. */
  prepare(release: Release, rule: ProbeRule, processes: number): Promise<void>;
  /** The prepared release serves from here on, and the one before it drains. Throws Error where nothing is prepared. */
  commit(): Promise<void>;
  /** Ends the processes of the prepared release. */
  discard(): Promise<void>;
  /** Resolves when nothing of a replaced release is left but streams, which have a deadline of their own. */
  drained(): Promise<void>;
  /** Settings that need no new application processes. */
  configure(settings: Settings): Promise<void>;
  /** Accepts on this socket from now on, in place of another of the same scheme. Throws what listen(2) refuses. */
  listen(scheme: Scheme, handle: SocketHandle): Promise<void>;
  /** Accepts no more for this scheme; connections go on. */
  unlisten(scheme: Scheme): Promise<void>;
  /** Certificates, and what goes with them: needed before HTTPS is listened on. */
  useTls(material: TlsMaterial): Promise<void>;
  /** `processes` of this site, `totalProcesses` of all. Throws StartError; nothing has changed then. */
  scale(processes: number, totalProcesses: number): Promise<void>;
  status(): Promise<SiteStatus>;
  /** Accepts no more, finishes what is in flight within the time, and ends everything. */
  stop(drainTimeoutMs: number): Promise<void>;
  /** Ends everything at once; resolves when it is gone. */
  kill(): Promise<void>;
}

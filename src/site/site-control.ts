import type { ProbeRule } from '../app/pool/generation.js';
import type { Release } from '../app/pool/release.js';
import type { Scheme } from '../contracts/scheme.js';
import type { SiteStatus } from '../contracts/status.js';
import type { TlsMaterial } from '../contracts/tls-material.js';
import type { Settings } from '../settings/settings.js';
import type { SocketHandle } from '../sockets/listening-socket.js';

/**
 * What a runner can ask of a site. Site does it; cluster/WorkerHandle has the site of a throng worker do it.
 *
 * The order of a reload: prepare, then commit or discard, then drained.
 */
export interface SiteControl {
  /** Of the process that holds the front. */
  readonly pid: number;
  /** Starts so many processes of a release beside the current one. Throws StartError; nothing has changed then. */
  prepare(release: Release, rule: ProbeRule, processes: number): Promise<void>;
  commit(): Promise<void>;
  discard(): Promise<void>;
  /** Resolves when nothing of a replaced release is left but streams, which have a deadline of their own. */
  drained(): Promise<void>;
  /** Settings that need no new application processes. */
  configure(settings: Settings): Promise<void>;
  /** Accepts on this socket from now on, in place of another of the same scheme. */
  listen(scheme: Scheme, handle: SocketHandle): Promise<void>;
  unlisten(scheme: Scheme): Promise<void>;
  useTls(material: TlsMaterial): Promise<void>;
  scale(processes: number, totalProcesses: number): Promise<void>;
  status(): Promise<SiteStatus>;
  /** Finishes what is in flight, within the time, and ends its processes. */
  stop(drainTimeoutMs: number): Promise<void>;
  /** Ends everything at once; resolves when it is gone. */
  kill(): Promise<void>;
}

import type { Release } from '../app/pool/release.js';
import type { Scheme } from '../contracts/scheme.js';
import type { SiteStatus } from '../contracts/status.js';
import type { TlsMaterial } from '../contracts/tls-material.js';
import type { Settings } from '../settings/settings.js';
import type { ListeningSocket } from '../sockets/listening-socket.js';

/**
 * The two modes, as launcher and reload see them: SingleRunner and ClusterRunner.
 *
 * The order of a reload: prepare, then commit or discard, then drained. Only one at a time; launcher sees to it.
 */
export interface Runner {
  /** Starts the first release; nothing is listened on yet. Throws StartError: nothing is left then. */
  start(release: Release): Promise<void>;
  /** Starts a release beside the current one, in every site. Throws StartError: nothing has changed then. */
  prepare(release: Release): Promise<void>;
  commit(): Promise<void>;
  discard(): Promise<void>;
  /** The requests of replaced releases have ended. Streams go on, with their processes, until their own deadline. */
  drained(): Promise<void>;
  /** Settings that need no new application processes. */
  configure(settings: Settings): Promise<void>;
  /** Accepts on this socket, in place of the one that it accepted on before for the same scheme. */
  listen(socket: ListeningSocket): Promise<void>;
  /** Accepts no more for this scheme; connections go on. */
  unlisten(scheme: Scheme): Promise<void>;
  /** Certificates, and what goes with them: needed before HTTPS is listened on. */
  useTls(material: TlsMaterial): Promise<void>;
  /** Application processes in all. */
  scale(processes: number): Promise<void>;
  status(): Promise<SiteStatus[]>;
  /** Closes the listening socket, finishes what is in flight, within the time, and ends everything. */
  stop(drainTimeoutMs: number): Promise<void>;
  /** Ends everything at once; resolves when it is gone. */
  kill(): Promise<void>;
}

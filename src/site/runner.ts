import type { Release } from '../app/pool/release.js';
import type { SiteStatus } from '../contracts/status.js';
import type { ListeningSocket } from '../sockets/listening-socket.js';
import type { SiteControl } from './site-control.js';

type ForEverySite = 'commit' | 'discard' | 'drained' | 'configure' | 'unlisten' | 'useTls' | 'stop' | 'kill';

/**
 * The two modes, as launcher and reload see them: SingleRunner and ClusterRunner. What SiteControl describes is done in every
 * site.
 *
 * The order of a reload: prepare, then commit or discard, then drained. Only one at a time; Instance sees to it.
 */
export interface Runner extends Pick<SiteControl, ForEverySite> {
  /** Starts the first release; nothing is listened on yet. Throws StartError; nothing is left then. */
  start(release: Release): Promise<void>;
  /** Starts a release beside the current one, in every site. Throws StartError; nothing has changed then. */
  prepare(release: Release): Promise<void>;
  /** Accepts on this socket, in place of the one that it accepted on before for the same scheme. */
  listen(socket: ListeningSocket): Promise<void>;
  /**
   * Application processes in all, within the settings' deadlines. Throws StartError, or EasyserveError `too-few-processes`;
   * nothing has changed then.
   */
  scale(processes: number): Promise<void>;
  /** Of the sites that answer. */
  status(): Promise<SiteStatus[]>;
}

import type { Release } from '../../app/pool/release.js';
import { describeError, EasyserveError } from '../../contracts/errors.js';
import type { ReloadResult } from '../../control/protocol.js';
import type { PreparedCertificates } from '../certificates.js';
import type { ReloadOptions } from './reload.js';
import {
  bindMissing,
  changeRights,
  closeAll,
  discardPrepared,
  prepareSockets,
  removeMoved,
  type SiteSockets,
} from './site-sockets.js';

export interface RestartOptions extends Omit<ReloadOptions, 'isRequested' | 'onCommitted'> {
  /** Runs the new release, in a new runner. */
  readonly run: (
    release: Release,
    sockets: SiteSockets,
    certificates: PreparedCertificates | undefined,
  ) => Promise<void>;
  /** The old release is stopped, and the new one does not start: nothing serves any more. */
  readonly onFatal: (error: unknown) => void;
}

/**
 * Stops everything and starts again; the listening sockets stay open, so clients wait and are not refused.
 *
 * Whatever can fail while the old release still serves comes first: a broken release must not take the site down.
 */
export async function restart(options: RestartOptions): Promise<ReloadResult> {
  const { release: before, runner, log, onStep, signal } = options;
  log.info('restart', 'a restart begins');
  const { release, certificates, ...prepared } = await prepare(options).catch((error: unknown) => {
    log.error('restart-failed', 'the restart was refused, the old release still serves', { error });
    throw signal.aborted ? error : refused(error);
  });
  const { generation } = release;
  let { sockets } = prepared;
  try {
    onStep('finishing the requests in flight');
    await runner.stop(before.settings.drainTimeoutMs);
    removeMoved(options.sockets, sockets);
    sockets = await bindMissing(sockets, release, log);
    await options.run(release, sockets, certificates);
  } catch (error) {
    closeAll(sockets.values());
    if (!signal.aborted) options.onFatal(error);
    throw error;
  }
  log.info('restarted', `generation ${generation} serves`, { generation });
  return { generation, changes: [] };
}

// Private

/** What the new runner starts with. */
interface PreparedRestart {
  readonly release: Release;
  /** Of its own, because those that serve now are closed with the old runner. What can be bound only then is missing. */
  readonly sockets: SiteSockets;
  readonly certificates: PreparedCertificates | undefined;
}

/** One process of the new release is started beside the old ones, has to answer the probe, and is stopped again. */
async function prepare(options: RestartOptions): Promise<PreparedRestart> {
  const { release: before, runner, log, onStep } = options;
  const release = await options.load(before.generation + 1);
  const certificates = await options.certificates.prepare(release.settings, 'reload');
  const sockets = await prepareSockets(options.sockets, release, log);
  try {
    onStep('trying the new application');
    const { plan } = release;
    await runner.prepare({ ...release, plan: { ...plan, processes: Math.min(1, plan.processes) } });
    await runner.discard();
    // Last of all that may fail: whoever reaches the site by its socket does so with these rights.
    changeRights(sockets, release.settings);
  } catch (error) {
    discardPrepared(options.sockets, sockets);
    throw error;
  }
  return { release, sockets, certificates };
}

/** Whoever asked for the restart wants to know first whether the site is up. */
function refused(error: unknown): EasyserveError {
  const { code, exitCode, message, hint, detail } = describeError(error);
  const sentence = `The restart was refused, the old release still serves: ${message}`;
  return new EasyserveError(code, exitCode, sentence, { hint, detail, cause: error });
}

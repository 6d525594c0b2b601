import { describeError, EasyserveError } from '../../contracts/errors.js';
import type { Log } from '../../log/log.js';
import type { Runner } from '../../site/runner.js';
import type { Certificates, PreparedCertificates } from '../certificates.js';
import type { LoadedRelease } from './load-release.js';
import { instanceRelease, type Serving } from './reload.js';
import { closeAll, prepareSockets, type SiteSockets } from './site-sockets.js';

export interface RestartOptions {
  readonly serving: Serving;
  readonly runner: Runner;
  /** Reads settings and project anew (load-release). */
  readonly load: () => Promise<LoadedRelease>;
  readonly certificates: Pick<Certificates, 'prepare'>;
  readonly onStep: (text: string) => void;
  readonly log: Log;
}

/** What the new runner starts with. */
export interface PreparedRestart {
  readonly loaded: LoadedRelease;
  /** Of its own, for those that serve now are closed with the old runner. What can be bound only then is missing. */
  readonly sockets: SiteSockets;
  readonly certificates: PreparedCertificates | undefined;
}

/**
 * Everything of a restart that can fail while the old release still serves: a broken one must not take it down.
 * Called by Instance.
 *
 * One process of the new release is started beside the old ones, has to answer the probe, and is stopped again.
 */
export async function prepareRestart(options: RestartOptions): Promise<PreparedRestart> {
  const { serving, runner, log, onStep } = options;
  const loaded = await options.load();
  const certificates = await options.certificates.prepare(loaded.settings, 'reload');
  const sockets = await prepareSockets(serving.sockets, loaded, log);
  try {
    onStep('trying the new application');
    const trial = { ...loaded, plan: { ...loaded.plan, processes: Math.min(1, loaded.plan.processes) } };
    await runner.prepare(instanceRelease({ loaded: trial, generation: serving.generation + 1 }));
    await runner.discard();
  } catch (error) {
    closeAll(sockets.values());
    throw error;
  }
  return { loaded, sockets, certificates };
}

/** Whoever asked for the restart wants to know first whether the site is up. */
export function refusedRestart(error: unknown): EasyserveError {
  const { code, exitCode, message, hint, detail } = describeError(error);
  const sentence = `The restart was refused, the old release still serves: ${message}`;
  return new EasyserveError(code, exitCode, sentence, { hint, detail, cause: error });
}

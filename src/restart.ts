import { bindAddress, isAddressOf, isInTheWay } from './address.js';
import type { ListeningSocket } from './front/listening-socket.js';
import type { LoadedRelease } from './load-release.js';
import type { Log } from './log/log.js';
import { instanceRelease, type Serving } from './reload.js';
import type { Runner } from './runner.js';

export interface RestartOptions {
  readonly serving: Serving;
  readonly runner: Runner;
  /** Reads settings and project anew (load-release). */
  readonly load: () => Promise<LoadedRelease>;
  readonly onStep: (text: string) => void;
  readonly log: Log;
}

/** What the new runner starts with. */
export interface PreparedRestart {
  readonly loaded: LoadedRelease;
  /**
   * Of its own, for the one that serves now is closed with the old runner. Undefined when it can be bound only then.
   */
  readonly socket: ListeningSocket | undefined;
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
  const socket = await openSocket(serving.socket, loaded, log);
  try {
    onStep('trying the new application');
    const trial = { ...loaded, plan: { ...loaded.plan, processes: 1 } };
    await runner.prepare(instanceRelease({ loaded: trial, generation: serving.generation + 1 }));
    await runner.discard();
  } catch (error) {
    socket?.close();
    throw error;
  }
  return { loaded, socket };
}

// Private

async function openSocket(
  serving: ListeningSocket,
  { settings, project }: LoadedRelease,
  log: Log,
): Promise<ListeningSocket | undefined> {
  if (isAddressOf(serving, settings, project)) return serving.duplicate();
  return isInTheWay(serving, settings, project) ? undefined : bindAddress(settings, project, log);
}

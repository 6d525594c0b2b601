import { bindAddress, isAddressChanged } from './address.js';
import type { ReloadResult } from './control/protocol.js';
import type { ListeningSocket } from './front/listening-socket.js';
import type { LoadedRelease } from './load-release.js';
import type { Log } from './log/log.js';
import type { InstanceRelease, Runner } from './runner.js';
import { compareSettings, type SettingsChange } from './settings/changes.js';

/** What serves now. */
export interface Serving {
  readonly loaded: LoadedRelease;
  readonly generation: number;
  readonly socket: ListeningSocket;
}

export interface ReloadOptions {
  readonly serving: Serving;
  readonly runner: Runner;
  /** Reads settings and project anew (load-release). */
  readonly load: () => Promise<LoadedRelease>;
  /** Asked for: the code may have changed, so there is a new generation in any case. */
  readonly isRequested: boolean;
  readonly onStep: (text: string) => void;
  /** The new release serves; what follows is the end of the old one. */
  readonly onCommitted: (serving: Serving) => void;
  readonly log: Log;
}

/**
 * The one reload, for both modes, for SIGHUP, `easyserve reload` and a changed settings file:
 * load, compare, prepare, commit, drain.
 *
 * Until commit everything that fails is thrown, and nothing has changed: the old release goes on serving.
 */
export async function reload(options: ReloadOptions): Promise<ReloadResult> {
  const { serving, runner, log } = options;
  const before = serving.loaded;
  const loaded = await options.load();
  const changes = compareSettings(before.settings, loaded.settings);
  const sentences = changes.map(describeChange);
  const needsListener = isAddressChanged(
    [before.settings, before.project],
    [loaded.settings, loaded.project],
  );
  const needsGeneration = options.isRequested || changes.some(({ effect }) => effect === 'generation');
  if (!needsGeneration && changes.length === 0) {
    log.info('reload-nothing', 'the settings file was written, but nothing in it has changed');
    return { generation: serving.generation, changes: [] };
  }
  // Bound first: a port that is taken refuses the reload before anything is started.
  const socket = needsListener ? await bindAddress(loaded.settings, loaded.project, log) : serving.socket;
  let after: Serving = { loaded, generation: serving.generation, socket };
  try {
    if (needsGeneration) {
      after = { ...after, generation: serving.generation + 1 };
      options.onStep('starting the new application');
      await runner.prepare(instanceRelease(after));
    }
  } catch (error) {
    if (needsListener) socket.close();
    throw error;
  }
  if (needsGeneration) await runner.commit();
  await runner.configure(loaded.settings);
  options.onCommitted(after);
  if (needsListener) {
    await runner.listen(socket);
    serving.socket.close();
  }
  log.info('reloaded', `generation ${after.generation} serves`, {
    generation: after.generation,
    changes: sentences,
  });
  if (needsGeneration) {
    options.onStep('waiting for the requests of the old application');
    await runner.drained();
  }
  return { generation: after.generation, changes: sentences };
}

export function instanceRelease({ loaded, generation }: Omit<Serving, 'socket'>): InstanceRelease {
  return { generation, settings: loaded.settings, project: loaded.project, plan: loaded.plan };
}

// Private

function describeChange({ key, from, to, effect }: SettingsChange): string {
  const change = `${key}: ${JSON.stringify(from)} -> ${JSON.stringify(to)}`;
  return effect === 'restart' ? `${change} (takes effect with: easyserve restart)` : change;
}

import { bindAddress, isAddressOf, isInTheWay } from './address.js';
import type { ReloadResult } from './control/protocol.js';
import type { ListeningSocket } from './front/listening-socket.js';
import type { LoadedRelease } from './load-release.js';
import type { Log } from './log/log.js';
import type { ProcessPlan } from './project/process-plan.js';
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
  /** Aborted when the instance stops. */
  readonly signal: AbortSignal;
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
  const loaded = await options.load();
  const changes = compareSettings(serving.loaded.settings, loaded.settings);
  const sentences = [...changes.map(describeChange), ...describeMode(serving.loaded.plan, loaded.plan)];
  const needsGeneration = options.isRequested || changes.some(({ effect }) => effect === 'generation');
  if (!needsGeneration && changes.length === 0) {
    log.info('reload-nothing', 'the settings file was written, but nothing in it has changed');
    return { generation: serving.generation, changes: [] };
  }
  // Bound first: a port that is taken refuses the reload before anything is started.
  const socket = await moveSocket(serving.socket, loaded, log);
  if (socket === 'stays') sentences.push('the address stays as it is (takes effect with: easyserve restart)');
  const moved = socket === 'stays' ? undefined : socket;
  const after: Serving = {
    loaded,
    generation: needsGeneration ? serving.generation + 1 : serving.generation,
    socket: serving.socket,
  };
  await prepare(after, needsGeneration, options).catch((error: unknown) => {
    moved?.close();
    throw error;
  });
  await commit(after, moved, needsGeneration, options);
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

/** Undefined: where it is, it is right. `stays`: only when it is closed another can be bound in its place. */
async function moveSocket(
  socket: ListeningSocket,
  { settings, project }: LoadedRelease,
  log: Log,
): Promise<ListeningSocket | 'stays' | undefined> {
  if (isAddressOf(socket, settings, project)) return undefined;
  if (!isInTheWay(socket, settings, project)) return bindAddress(settings, project, log);
  log.warn('address-stays', `the site goes on at ${socket.url}: moving within a port needs a restart`, {
    hint: 'easyserve restart',
  });
  return 'stays';
}

async function prepare(after: Serving, needsGeneration: boolean, options: ReloadOptions): Promise<void> {
  if (needsGeneration) {
    options.onStep('starting the new application');
    await options.runner.prepare(instanceRelease(after));
  }
  options.signal.throwIfAborted();
}

/** From here on the new release serves, whatever becomes of the address. */
async function commit(
  after: Serving,
  moved: ListeningSocket | undefined,
  needsGeneration: boolean,
  { runner, onCommitted }: ReloadOptions,
): Promise<void> {
  if (needsGeneration) await runner.commit();
  onCommitted(after);
  await runner.configure(after.loaded.settings);
  if (moved === undefined) return;
  await runner.listen(moved).catch((error: unknown) => {
    moved.close();
    throw error;
  });
  onCommitted({ ...after, socket: moved });
  after.socket.close();
}

/** The processes are as many as they should be; the mode is that of the runner, which only a restart makes anew. */
function describeMode(before: ProcessPlan, after: ProcessPlan): readonly string[] {
  if (before.mode === after.mode) return [];
  const mode = after.mode === 'cluster' ? 'cluster mode' : 'single-process mode';
  return [`${mode} takes effect with: easyserve restart`];
}

function describeChange({ key, from, to, effect }: SettingsChange): string {
  const change = `${key}: ${JSON.stringify(from)} -> ${JSON.stringify(to)}`;
  return effect === 'restart' ? `${change} (takes effect with: easyserve restart)` : change;
}

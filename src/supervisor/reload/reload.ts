import type { ReloadResult } from '../../control/protocol.js';
import type { Log } from '../../log/log.js';
import type { ProcessPlan } from '../../project/process-plan.js';
import { compareSettings, type SettingsChange } from '../../settings/changes.js';
import type { InstanceRelease, Runner } from '../../site/runner.js';
import type { Certificates, PreparedCertificates } from '../certificates.js';
import type { LoadedRelease } from './load-release.js';
import { closeAll, moveSockets, type SiteSockets, type SocketMove } from './site-sockets.js';

/** What serves now. */
export interface Serving {
  readonly loaded: LoadedRelease;
  readonly generation: number;
  readonly sockets: SiteSockets;
}

export interface ReloadOptions {
  readonly serving: Serving;
  readonly runner: Runner;
  /** Reads settings and project anew (load-release). */
  readonly load: () => Promise<LoadedRelease>;
  /** Asked for: the code may have changed, so there is a new generation in any case. */
  readonly isRequested: boolean;
  readonly certificates: Pick<Certificates, 'prepare' | 'use' | 'keep'>;
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
  const move = await moveSockets(serving.sockets, loaded, log);
  if (move.isStaying) sentences.push('the address stays as it is (takes effect with: easyserve restart)');
  const after: Serving = {
    loaded,
    generation: needsGeneration ? serving.generation + 1 : serving.generation,
    sockets: serving.sockets,
  };
  const prepared = await prepare(after, needsGeneration, options).catch((error: unknown) => {
    closeAll(move.opened);
    throw error;
  });
  await commit(after, { move, prepared, needsGeneration }, options);
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

export function instanceRelease({ loaded, generation }: Omit<Serving, 'sockets'>): InstanceRelease {
  return { generation, settings: loaded.settings, project: loaded.project, plan: loaded.plan };
}

// Private

async function prepare(
  after: Serving,
  needsGeneration: boolean,
  options: ReloadOptions,
): Promise<PreparedCertificates | undefined> {
  // Read first: a certificate that is wrong refuses the reload before anything is started.
  const prepared = await options.certificates.prepare(after.loaded.settings, 'reload');
  if (needsGeneration) {
    options.onStep('starting the new application');
    await options.runner.prepare(instanceRelease(after));
  }
  options.signal.throwIfAborted();
  return prepared;
}

interface Commitment {
  readonly move: SocketMove;
  readonly prepared: PreparedCertificates | undefined;
  readonly needsGeneration: boolean;
}

/** From here on the new release serves, whatever becomes of the address. */
async function commit(
  after: Serving,
  { move, prepared, needsGeneration }: Commitment,
  { runner, onCommitted, certificates }: ReloadOptions,
): Promise<void> {
  if (needsGeneration) await runner.commit();
  onCommitted(after);
  await runner.configure(after.loaded.settings);
  try {
    await certificates.use(prepared, move.after.get('https')?.port);
    for (const socket of move.opened) await runner.listen(socket);
    certificates.keep();
  } catch (error) {
    closeAll(move.opened);
    throw error;
  }
  if (move.after === after.sockets) return;
  onCommitted({ ...after, sockets: move.after });
  for (const socket of move.leaving) {
    if (!move.after.has(socket.scheme)) await runner.unlisten(socket.scheme);
    socket.close();
  }
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

import type { Release } from '../../app/pool/release.js';
import type { ReloadResult } from '../../control/protocol.js';
import type { Log } from '../../log/log.js';
import type { ProcessPlan } from '../../project/process-plan.js';
import { compareSettings, type SettingsChange } from '../../settings/settings.js';
import type { Runner } from '../../site/runner.js';
import type { Certificates, PreparedCertificates } from '../certificates.js';
import { moveSockets, removeAll, type SiteSockets, type SocketMove } from './site-sockets.js';

export interface ReloadOptions {
  /** What serves now, and where. */
  readonly release: Release;
  readonly sockets: SiteSockets;
  readonly runner: Runner;
  /** Reads settings and project anew (load-release). */
  readonly load: (generation: number) => Promise<Release>;
  /** By a person or a program: the code may have changed, so there is a new generation in any case. */
  readonly isRequested: boolean;
  readonly certificates: Pick<Certificates, 'prepare' | 'use' | 'keep'>;
  readonly onStep: (text: string) => void;
  /** The new release serves; what follows is the end of the old one. */
  readonly onCommitted: (release: Release, sockets: SiteSockets) => void;
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
  const { release: before, sockets, runner, log } = options;
  const loaded = await options.load(before.generation + 1);
  const changes = compareSettings(before.settings, loaded.settings);
  const sentences = [...changes.map(describeChange), ...describeMode(before.plan, loaded.plan)];
  const needsGeneration = options.isRequested || changes.some(({ effect }) => effect === 'generation');
  if (!needsGeneration && changes.length === 0) {
    log.info('reload-nothing', 'the settings file was written, but nothing in it has changed');
    return { generation: before.generation, changes: [] };
  }
  const release = needsGeneration ? loaded : { ...loaded, generation: before.generation };
  const { generation } = release;
  // Bound first: a port that is taken refuses the reload before anything is started.
  const move = await moveSockets(sockets, release, log);
  if (move.isStaying) sentences.push('the address stays as it is (takes effect with: easyserve restart)');
  const certificates = await prepare(release, { needsGeneration }, options).catch((error: unknown) => {
    removeAll(move.opened);
    throw error;
  });
  await commit(release, { move, certificates, needsGeneration }, options);
  log.info('reloaded', `generation ${generation} serves`, { generation, changes: sentences });
  if (needsGeneration) {
    options.onStep('waiting for the requests of the old application');
    await runner.drained();
  }
  return { generation, changes: sentences };
}

// Private

async function prepare(
  release: Release,
  { needsGeneration }: Pick<Commitment, 'needsGeneration'>,
  options: ReloadOptions,
): Promise<PreparedCertificates | undefined> {
  // Read first: a certificate that is wrong refuses the reload before anything is started.
  const certificates = await options.certificates.prepare(release.settings, 'reload');
  if (needsGeneration) {
    options.onStep('starting the new application');
    await options.runner.prepare(release);
  }
  options.signal.throwIfAborted();
  return certificates;
}

interface Commitment {
  readonly move: SocketMove;
  readonly certificates: PreparedCertificates | undefined;
  readonly needsGeneration: boolean;
}

/** From here on the new release serves, whatever becomes of the address. */
async function commit(
  release: Release,
  { move, certificates: prepared, needsGeneration }: Commitment,
  { runner, sockets, onCommitted, certificates }: ReloadOptions,
): Promise<void> {
  if (needsGeneration) await runner.commit();
  onCommitted(release, sockets);
  await runner.configure(release.settings);
  try {
    await certificates.use(prepared, move.after.get('https')?.port);
    for (const socket of move.opened) await runner.listen(socket);
    certificates.keep();
  } catch (error) {
    removeAll(move.opened);
    throw error;
  }
  if (move.after === sockets) return;
  onCommitted(release, move.after);
  for (const socket of move.leaving) {
    if (!move.after.has(socket.scheme)) await runner.unlisten(socket.scheme);
    socket.remove();
  }
}

/** The number of processes changes at once; the mode is that of the runner, which only a restart makes anew. */
function describeMode(before: ProcessPlan, after: ProcessPlan): readonly string[] {
  if (before.mode === after.mode) return [];
  const mode = after.mode === 'cluster' ? 'cluster mode' : 'single-process mode';
  return [`${mode} takes effect with: easyserve restart`];
}

function describeChange({ key, from, to, effect }: SettingsChange): string {
  const change = `${key}: ${JSON.stringify(from)} -> ${JSON.stringify(to)}`;
  return effect === 'restart' ? `${change} (takes effect with: easyserve restart)` : change;
}

import { join } from 'node:path';
import type { PendingRequest } from '../../contracts/upstream.js';
import { AppProcess } from '../process/app-process.js';
import type { GenerationContext } from './generation.js';
import { PoolMember } from './pool-member.js';
import type { Release } from './release.js';

export interface MemberOptions<R extends PendingRequest> {
  readonly release: Release;
  readonly place: number;
  readonly restarts: number;
  /** Asked for each request. */
  readonly isMultiprocess: () => boolean;
  readonly onIdle: () => void;
  /** Somebody else sent it SIGTERM: it goes on serving, and asks for a successor. */
  readonly onTerminated: (member: PoolMember<R>) => void;
}

/** Starts one application process of a generation, on a fresh socket. Used by Generation. */
export function launchMember<R extends PendingRequest>(
  options: MemberOptions<R>,
  context: GenerationContext<R>,
): PoolMember<R> {
  const { release } = options;
  const { clock, log } = context;
  const server = context.serverFor(release);
  // Begins with our pid: what a worker that was killed leaves behind is found by it (leftovers).
  const socketPath = join(context.runFolder, `${process.pid}-${context.nextSocketNumber()}.sock`);
  const startedAtMs = clock.now();
  const appProcess = new AppProcess({
    plan: server.plan(release, socketPath),
    socketPath,
    readyTimeoutMs: release.settings.readyTimeoutMs,
    spawn: context.spawn,
    kill: context.kill,
    connect: context.reach,
    log,
    clock,
    onTerminated: () => options.onTerminated(member),
  });
  const observer = { onIdle: options.onIdle, onLost: context.onLost, onUnsent: context.onUnsent };
  const member = new PoolMember<R>({
    process: appProcess,
    connect: () =>
      context.connect(appProcess.address, server.concurrency(release), observer, options.isMultiprocess),
    generation: release.generation,
    place: options.place,
    restarts: options.restarts,
    startedAtMs,
    startedAt: new Date().toISOString(),
    log,
  });
  return member;
}

import type { AppStatus } from '../../contracts/status.js';
import type { PendingRequest } from '../../contracts/upstream.js';
import type { PoolMember } from './pool-member.js';

/** One process, as `easyserve status` shows it. */
export async function describeApp<R extends PendingRequest>(
  member: PoolMember<R>,
  { threads }: { readonly threads: number },
): Promise<AppStatus> {
  const { generation, state, inFlight, streams, restarts, startedAt } = member;
  return {
    pid: member.process.pid,
    state,
    generation,
    threads,
    inFlight,
    streams,
    requests: member.finished,
    restarts,
    rssBytes: await member.process.memoryBytes(),
    startedAt,
  };
}

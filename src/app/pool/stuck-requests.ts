import type { Clock } from '../../contracts/clock.js';
import type { PendingRequest } from '../../contracts/upstream.js';
import type { Log } from '../../log/log.js';
import type { ThreadStacks } from '../process/app-control.js';
import type { AppProcess } from '../process/app-process.js';
import type { PoolMember } from './pool-member.js';

/**
 * Finds requests that run beyond their limit, logs where their thread is, and answers the client with a 504.
 * A thread that has begun to send its answer is not stuck.
 */
export class StuckRequests<R extends PendingRequest> {
  readonly #clock: Clock;
  readonly #log: Log;

  constructor(clock: Clock, log: Log) {
    this.#clock = clock;
    this.#log = log;
  }

  /**
   * True when there was one: the process is to be recycled, because its thread will not come back. `limitMs` 0 is no limit.
   * Never rejects.
   */
  async check(
    member: Pick<PoolMember<R>, 'upstream'> & { process: Pick<AppProcess, 'pid' | 'stacks'> },
    limitMs: number,
  ): Promise<boolean> {
    if (limitMs === 0) return false;
    const now = this.#clock.now();
    const stuck = [...(member.upstream?.requests() ?? [])].filter(
      ({ request, startedAtMs }) => now - startedAtMs > limitMs && request.isWaiting,
    );
    if (stuck.length === 0) return false;
    for (const { request } of stuck) request.fail('stuck');
    const stacks = await member.process.stacks();
    for (const { request, thread, startedAtMs } of stuck) {
      this.#log.error(
        'request-stuck',
        `${request.method} ${request.path} got no answer for ${limitMs / 1000} s`,
        {
          requestId: request.id,
          method: request.method,
          path: request.path,
          app: member.process.pid,
          thread,
          durationMs: Math.round(now - startedAtMs),
          detail: describeStack(stacks, thread),
        },
      );
    }
    return true;
  }
}

// Private

/** The stack of its thread; of all threads where the server does not tell which one it is. */
function describeStack(stacks: ThreadStacks | undefined, thread: number | undefined): string {
  const unknown = 'its stack could not be read: the process does not answer';
  if (stacks === undefined) return unknown;
  if (thread !== undefined) return stacks[thread] ?? unknown;
  return Object.entries(stacks)
    .map(([name, stack]) => `${name}:\n${stack}`)
    .join('\n');
}

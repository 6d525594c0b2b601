import type { Clock } from '../../contracts/clock.js';
import type { PendingRequest } from '../../contracts/upstream.js';
import type { Log } from '../../log/log.js';
import type { Generation } from './generation.js';
import type { PoolMember } from './pool-member.js';
import { RecyclePolicy } from './recycle-policy.js';
import { StuckRequests } from './stuck-requests.js';

/** Replaces the processes that have served long enough, and those in which a request is stuck. */
export class DueReplacements<R extends PendingRequest> {
  readonly #recycle: RecyclePolicy;
  readonly #stuck: StuckRequests<R>;

  constructor(clock: Clock, log: Log) {
    this.#recycle = new RecyclePolicy(clock);
    this.#stuck = new StuckRequests(clock, log);
  }

  /** To be called now and then. The current settings hold for requests on retired processes too. */
  sweep(current: Generation<R>, generations: readonly Generation<R>[]): void {
    const { requestTimeoutMs } = current.release.settings;
    for (const member of current.members) void this.#recycleIfDue(member, current);
    for (const generation of generations) {
      for (const member of generation.members) {
        void this.#replaceIfStuck(member, generation, requestTimeoutMs);
      }
    }
  }

  // Private

  async #recycleIfDue(member: PoolMember<R>, generation: Generation<R>): Promise<void> {
    if (member.state !== 'ready') return;
    const reason = await this.#recycle.check(member, generation.release.settings);
    if (reason !== undefined) await generation.replace(member, reason);
  }

  async #replaceIfStuck(
    member: PoolMember<R>,
    generation: Generation<R>,
    requestTimeoutMs: number,
  ): Promise<void> {
    const isStuck = await this.#stuck.check(member, requestTimeoutMs);
    if (isStuck) await generation.replace(member, 'a request was stuck');
  }
}

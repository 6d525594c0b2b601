import type { Clock } from '../../contracts/clock.js';
import type { PendingRequest } from '../../contracts/upstream.js';
import type { Log } from '../../log/log.js';
import type { PoolMember } from './pool-member.js';

export interface ReplacementOptions<R extends PendingRequest> {
  readonly clock: Clock;
  readonly log: Log;
  /** Starts a successor. Rejects when it does not start. */
  readonly start: (member: PoolMember<R>) => Promise<void>;
  readonly retire: (member: PoolMember<R>) => Promise<void>;
  /** It has ended while its successor was starting, which did not start either. */
  readonly refill: (member: PoolMember<R>) => void;
  readonly isRetired: () => boolean;
  /** Until the next attempt. */
  readonly pauseMs: () => number;
}

/** Replaces processes that are due, the successor first. */
export class Replacement<R extends PendingRequest> {
  readonly #options: ReplacementOptions<R>;
  /** Places whose successor is starting. */
  readonly #replacing = new Set<number>();
  /** Those whose successor did not start, until the next attempt. */
  readonly #pausing = new Set<PoolMember<R>>();

  constructor(options: ReplacementOptions<R>) {
    this.#options = options;
  }

  isUnderWay(place: number): boolean {
    return this.#replacing.has(place);
  }

  /** When the successor does not start, the process stays, and the next attempt follows after a pause. Throws nothing. */
  async replace(member: PoolMember<R>, reason: string): Promise<void> {
    const { start, retire, isRetired, log } = this.#options;
    const { place } = member;
    if (member.state !== 'ready' || isRetired()) return;
    if (this.#replacing.has(place) || this.#pausing.has(member)) return;
    const { pid } = member.process;
    log.info('app-recycle', `application ${pid} is recycled: ${reason}`, { app: pid, reason });
    this.#replacing.add(place);
    try {
      await start(member);
    } catch (error) {
      this.#onFailed(member, reason, error);
      return;
    } finally {
      // From here on a crash is the successor's, which is started again like any other.
      this.#replacing.delete(place);
    }
    await retire(member);
  }

  // Private

  #onFailed(member: PoolMember<R>, reason: string, error: unknown): void {
    const { refill, isRetired, log } = this.#options;
    if (isRetired()) return; // its processes were ended, not only this one
    log.error('app-recycle-failed', 'the successor of an application process did not start', {
      app: member.process.pid,
      error,
    });
    if (member.process.isRunning) this.#replaceLater(member, reason);
    else refill(member);
  }

  #replaceLater(member: PoolMember<R>, reason: string): void {
    const { clock, pauseMs } = this.#options;
    this.#pausing.add(member);
    clock.after(pauseMs(), () => {
      this.#pausing.delete(member);
      void this.replace(member, reason);
    });
  }
}

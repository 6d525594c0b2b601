import type { Clock } from '../../contracts/clock.js';
import { Semaphore } from '../../contracts/semaphore.js';
import type { PendingRequest } from '../../contracts/upstream.js';
import type { Log } from '../../log/log.js';
import type { Settings } from '../../settings/settings.js';
import type { PoolMember } from './pool-member.js';
import { RestartPolicy } from './restart-policy.js';
import type { Standby } from './standby.js';

/** Two processes that end within this time let expect a third one. */
const CRASHES_TOGETHER_MS = 60_000;

export interface RefillOptions<R extends PendingRequest> {
  readonly settings: Settings;
  readonly clock: Clock;
  readonly log: Log;
  readonly standby: Standby<R>;
  /** The standby process, which has got a place. */
  readonly serve: (member: PoolMember<R>) => void;
  /** Rejects when the process does not start. */
  readonly start: (place: number, restarts: number) => Promise<void>;
  /** The place is still empty, and still to be filled. */
  readonly isWanted: (place: number) => boolean;
  /** A process has not started; true when none is left. */
  readonly onPause: () => boolean;
}

/**
 * Fills the places of processes that have ended.
 *
 * After the end of a process that was at work the next one is started at once, as often as that happens: pauses and a
 * budget (RestartPolicy) are for what does not start.
 */
export class Refill<R extends PendingRequest> {
  readonly #options: RefillOptions<R>;
  readonly #policy: RestartPolicy;
  readonly #starts: Semaphore;
  #lastCrashMs = Number.NEGATIVE_INFINITY;

  constructor(options: RefillOptions<R>) {
    this.#options = options;
    this.#policy = new RestartPolicy(options.settings, options.clock);
    this.#starts = new Semaphore(options.settings.startConcurrency);
  }

  get isCrashLoop(): boolean {
    return this.#policy.isCrashLoop;
  }

  configure(settings: Settings): void {
    this.#policy.configure(settings);
  }

  /** In the place of one that has ended by itself; `hadWork`: at its end or before. */
  afterCrash({ place, restarts }: PoolMember<R>, { hadWork }: { readonly hadWork: boolean }): void {
    const { standby, serve, clock } = this.#options;
    const isRepeated = clock.now() - this.#lastCrashMs < CRASHES_TOGETHER_MS;
    this.#lastCrashMs = clock.now();
    if (hadWork) this.#policy.forget();
    const successor = standby.take();
    if (successor !== undefined) {
      successor.takePlace(place, restarts + 1);
      serve(successor);
    } else if (hadWork) void this.#fill(place, restarts + 1);
    else this.afterPause(place, restarts + 1);
    if (isRepeated && hadWork) standby.keep();
  }

  /** In the place of one that did not start, or had no work before its end; again and again until one starts. */
  afterPause(place: number, restarts: number): void {
    const { clock, log, onPause } = this.#options;
    const delayMs = this.#policy.recordCrash();
    if (onPause()) {
      log.error(
        'crash-loop',
        'the application crashes again and again: visitors get a 503 page until it starts',
        { nextTryMs: Math.round(delayMs) },
      );
    }
    clock.after(delayMs, () => void this.#fill(place, restarts));
  }

  // Private

  async #fill(place: number, restarts: number): Promise<void> {
    const { start, isWanted, log } = this.#options;
    try {
      await this.#starts.run(async () => {
        if (isWanted(place)) await start(place, restarts);
      });
    } catch (error) {
      if (!isWanted(place)) return;
      log.error('app-start-failed', 'an application process did not start again', { error });
      this.afterPause(place, restarts + 1);
    }
  }
}

import type { PendingRequest } from '../../contracts/upstream.js';
import type { Log } from '../../log/log.js';
import type { PoolMember } from './pool-member.js';

export interface StandbyOptions<R extends PendingRequest> {
  readonly launch: () => PoolMember<R>;
  readonly retire: (member: PoolMember<R>) => Promise<void>;
  readonly log: Log;
  readonly onReady: () => void;
  readonly onFailed: () => void;
}

/**
 * One process more than the number that was asked for, while processes crash.
 *
 * Suspect requests run on it (Quarantine), so that they endanger no other; and it takes the place of a process that has ended
 * at once, where a new one has to be loaded first.
 */
export class Standby<R extends PendingRequest> {
  readonly #options: StandbyOptions<R>;
  /** Starting, or ready. */
  #member: PoolMember<R> | undefined;

  constructor(options: StandbyOptions<R>) {
    this.#options = options;
  }

  get member(): PoolMember<R> | undefined {
    return this.#member;
  }

  /** The one that takes requests now. */
  get ready(): PoolMember<R> | undefined {
    const member = this.#member;
    return member?.state === 'ready' && member.process.isRunning && member.upstream !== undefined
      ? member
      : undefined;
  }

  /** Starts it where there is none. */
  keep(): void {
    if (this.#member !== undefined) return;
    const member = this.#options.launch();
    this.#member = member;
    void this.#start(member);
  }

  /** The process, when it is ready and at rest; it is another's from here on. */
  take(): PoolMember<R> | undefined {
    const member = this.ready;
    if (member === undefined || member.inFlight > 0) return undefined;
    this.#member = undefined;
    return member;
  }

  /** Ends it, when it is there. */
  drop(): void {
    const member = this.#member;
    this.#member = undefined;
    if (member !== undefined) void this.#options.retire(member);
  }

  /** True when it was this one that has ended. */
  forget(member: PoolMember<R>): boolean {
    if (this.#member !== member) return false;
    this.#member = undefined;
    return true;
  }

  // Private

  async #start(member: PoolMember<R>): Promise<void> {
    const { log, onReady, onFailed } = this.#options;
    try {
      await member.start('skipped');
    } catch (error) {
      // Told to end meanwhile.
      if (!this.forget(member)) return;
      log.error('app-start-failed', 'an application process beside the others did not start', { error });
      onFailed();
      return;
    }
    if (this.#member !== member) return;
    const { pid } = member.process;
    log.info('app-standby', `application ${pid} stands by while processes crash`, { app: pid });
    onReady();
  }
}

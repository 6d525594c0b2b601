import { EasyserveError, ExitCode } from '../contracts/errors.js';
import type { InstanceState, Lifecycle } from '../contracts/lifecycle.js';
import type { ReloadResult } from '../control/protocol.js';

/** `request`: of a person or a program; `settings-file`: one was written. */
export type ReloadCause = 'request' | 'settings-file';

/** A reload that has not begun yet. */
interface WaitingReload {
  cause: ReloadCause;
  readonly result: Promise<ReloadResult>;
}

/** The operations that change an instance, one after the other, and none once it stops. */
export class OperationQueue {
  readonly #lifecycle: Lifecycle<InstanceState>;
  /** The last one that was asked for; the next one waits for it. */
  #last: Promise<unknown> = Promise.resolve();
  #waitingReload: WaitingReload | undefined;

  constructor(lifecycle: Lifecycle<InstanceState>) {
    this.#lifecycle = lifecycle;
  }

  /** The first start: operations that are asked for meanwhile wait for it. */
  begin(started: Promise<unknown>): void {
    this.#last = started.catch(() => {});
  }

  /** Throws EasyserveError `instance-busy` where the instance has come to an end before its turn. */
  run<T>(state: 'reloading' | 'restarting', act: () => Promise<T>): Promise<T> {
    const lifecycle = this.#lifecycle;
    const take = async (): Promise<T> => {
      if (!lifecycle.canBecome(state)) {
        throw new EasyserveError('instance-busy', ExitCode.notRunning, `easyserve is ${lifecycle.state}.`);
      }
      lifecycle.become(state);
      try {
        return await act();
      } finally {
        if (lifecycle.state === state) lifecycle.become('running');
      }
    };
    const result = this.#last.then(take, take);
    this.#last = result.catch(() => {});
    return result;
  }

  /** As `run` does, but a reload that is asked for while another one waits to begin joins that one. */
  reload(cause: ReloadCause, act: (cause: ReloadCause) => Promise<ReloadResult>): Promise<ReloadResult> {
    this.#waitingReload ??= this.#queueReload(act);
    // A settings file that was merely touched must not swallow the reload that somebody asks for.
    if (cause === 'request') this.#waitingReload.cause = cause;
    return this.#waitingReload.result;
  }

  /** Resolves when the operation under way has ended, and those that wait were refused. */
  async ended(): Promise<void> {
    await this.#last;
  }

  // Private

  #queueReload(act: (cause: ReloadCause) => Promise<ReloadResult>): WaitingReload {
    const waiting: WaitingReload = {
      cause: 'settings-file',
      result: this.run('reloading', () => {
        this.#waitingReload = undefined;
        return act(waiting.cause);
      }),
    };
    return waiting;
  }
}

import { EasyserveError, ExitCode } from '../contracts/errors.js';
import type { InstanceState, Lifecycle } from '../contracts/lifecycle.js';

/** The operations that change an instance, one after the other, and none once it stops. Owned by Instance. */
export class OperationTurns {
  readonly #lifecycle: Lifecycle<InstanceState>;
  /** The one under way; the next one waits for it. */
  #last: Promise<unknown> = Promise.resolve();

  constructor(lifecycle: Lifecycle<InstanceState>) {
    this.#lifecycle = lifecycle;
  }

  /** The first start: those that are asked for meanwhile wait for it. */
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

  /** Resolves when the one under way has ended. */
  async ended(): Promise<void> {
    await this.#last;
  }
}

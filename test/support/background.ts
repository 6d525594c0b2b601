import assert from 'node:assert/strict';
import { randomUUID } from 'node:crypto';
import type { TestContext } from 'node:test';
import { eventually } from './eventually.js';
import { leftoversOf, stateFoldersOf } from './leftovers.js';
import { describeProcess, killProcess, processesWithEnvironment } from './processes.js';
import { type CommandResult, type Environment, runEasyserve, testIdVariable } from './run-easyserve.js';

export interface BackgroundOptions {
  readonly dir: string;
  readonly env?: Environment;
  /** See runEasyserve. */
  readonly program?: readonly string[];
}

/**
 * Commands for an instance that `easyserve start --daemon` starts, so that it is no child of the test. At the end of the
 * test it is stopped, and nothing may be left.
 */
export class Background {
  readonly #options: BackgroundOptions;
  readonly #testId = randomUUID();

  constructor(t: TestContext, options: BackgroundOptions) {
    this.#options = options;
    t.after(() => this.#end());
  }

  /** Runs one command in the folder. */
  run(...args: readonly string[]): Promise<CommandResult> {
    const { dir, env, program } = this.#options;
    return runEasyserve(args, {
      cwd: dir,
      env: { ...env, [testIdVariable]: this.#testId },
      ...(program === undefined ? {} : { program }),
    });
  }

  /** On a free port of 127.0.0.1. */
  start(...args: readonly string[]): Promise<CommandResult> {
    return this.run('start', '--daemon', '--host', '127.0.0.1', '--port', '0', ...args);
  }

  /** Every living process of the instance. */
  processes(): number[] {
    return processesWithEnvironment(testIdVariable, this.#testId);
  }

  async #end(): Promise<void> {
    try {
      if (this.processes().length > 0) await this.run('stop');
      // The instance that has gone was nobody's child: it may be a zombie until init looks at it.
      await eventually(() => assert.deepEqual(this.processes().map(describeProcess), []));
      assert.deepEqual(leftoversOf(stateFoldersOf(this.#options.dir)), []);
    } finally {
      for (const pid of this.processes()) killProcess(pid, 'SIGKILL');
    }
  }
}

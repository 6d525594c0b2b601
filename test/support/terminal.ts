import { type ChildProcessWithoutNullStreams, spawn } from 'node:child_process';
import { once } from 'node:events';
import type { TestContext } from 'node:test';
import { eventually } from './eventually.js';
import { testPython } from './python-env.js';
import { easyserveBin, easyserveEnvironment } from './run-easyserve.js';

/** Runs a command in a pseudo-terminal; what it shows comes out at stdout, what is typed goes in at stdin. */
const pseudoTerminal = `
import os, pty, sys
status = pty.spawn(sys.argv[1:])
sys.exit(os.WEXITSTATUS(status) if os.WIFEXITED(status) else 200 + os.WTERMSIG(status))
`;
/** `easyserve start` as a person types it. */
export class Terminal {
  readonly #child: ChildProcessWithoutNullStreams;
  readonly #exited: Promise<unknown[]>;
  shown = '';

  constructor(
    t: TestContext,
    dir: string,
    flags: readonly string[],
    env: Readonly<Record<string, string | undefined>> = {},
  ) {
    const command = [process.execPath, easyserveBin, 'start', '--host', '127.0.0.1', '--port', '0', ...flags];
    this.#child = spawn(testPython(), ['-c', pseudoTerminal, ...command], {
      cwd: dir,
      env: easyserveEnvironment({
        TERM: 'xterm-256color',
        NO_COLOR: undefined,
        FORCE_COLOR: undefined,
        ...env,
      }),
    });
    this.#exited = once(this.#child, 'exit');
    // Hangs up: the terminal is gone, and with it all that runs in it.
    t.after(() => this.#child.kill('SIGKILL'));
    this.#child.stdout.setEncoding('utf8').on('data', (text: string) => {
      this.shown += text;
    });
  }

  /** What matches. */
  untilShown(pattern: RegExp): Promise<string> {
    return eventually(
      () => {
        const found = pattern.exec(this.shown)?.[0];
        if (found === undefined) throw new Error(`no ${pattern} in\n${this.shown}`);
        return found;
      },
      { timeoutMs: 30_000 },
    );
  }

  type(text: string): void {
    this.#child.stdin.write(text);
  }

  /** What ran in it is hung up (SIGHUP), and can't write to it any more. */
  async close(): Promise<void> {
    this.#child.kill('SIGKILL');
    await this.#exited;
  }

  async exitCode(): Promise<unknown> {
    return (await this.#exited)[0];
  }
}

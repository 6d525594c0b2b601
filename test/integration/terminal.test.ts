import assert from 'node:assert/strict';
import { type ChildProcessWithoutNullStreams, spawn } from 'node:child_process';
import { once } from 'node:events';
import { appendFileSync } from 'node:fs';
import { join } from 'node:path';
import type { TestContext } from 'node:test';
import { copyFixture, makeTempDir } from '../support/copy-fixture.js';
import { eventually } from '../support/eventually.js';
import { forEachMode } from '../support/for-each-mode.js';
import { ask } from '../support/http-client.js';
import { testPython } from '../support/python-env.js';
import { easyserveBin, easyserveEnvironment, runEasyserve } from '../support/run-easyserve.js';

/** Runs a command in a pseudo-terminal; what it shows comes out at stdout, what is typed goes in at stdin. */
const pseudoTerminal = `
import os, pty, sys
status = pty.spawn(sys.argv[1:])
sys.exit(os.WEXITSTATUS(status) if os.WIFEXITED(status) else 200 + os.WTERMSIG(status))
`;
const bold = '\u001b[1m';

// What a person sees who types \`easyserve start\`.
forEachMode(['single', 'cluster'], (mode, testIn) => {
  testIn('a line that tells what takes so long, then a banner, then a line for each request', async (t) => {
    const dir = copyFixture('wsgi-hello', join(makeTempDir(t), 'site'));
    appendFileSync(join(dir, 'app.py'), '\ntime.sleep(2.5)\n');
    const terminal = new Terminal(t, dir, ['--processes', mode === 'single' ? '1' : '2']);

    const banner = await terminal.untilShown(/easyserve \d+\.\d+\.\d+ serves .*?Ctrl-C.*?\r\n\r\n/s);
    assert.match(terminal.shown, /reading the project … [1-9] s/);
    for (const line of [
      / {2}found +WSGI, app:application in \//,
      / {2}python +\d+\.\d+\.\d+ from \$VIRTUAL_ENV/,
      mode === 'single'
        ? / {2}mode +single process with 10 threads \(processes = 1: /
        : / {2}mode +cluster of 2 processes with 4 threads each \(processes = 2\)/,
      / {2}reload +\S*\beasyserve\.js reload/,
      / {2}stop +Ctrl-C/,
    ]) {
      assert.match(banner, line);
    }
    const url = banner.match(/http:\/\/127\.0\.0\.1:\d+\//)?.[0] ?? '';
    assert.ok(banner.includes(`${bold}${url}`));

    await ask(url, '/version?shown');
    await terminal.untilShown(/200 .*GET \/version\?shown .*127\.0\.0\.1/);

    terminal.type('\u0003');
    assert.equal(await terminal.exitCode(), 0);
    assert.match(terminal.shown, /stopped/);
  });

  testIn('the site outlives its terminal, and is stopped from another one', async (t) => {
    const dir = copyFixture('wsgi-hello', join(makeTempDir(t), 'site'));
    const terminal = new Terminal(t, dir, ['--processes', mode === 'single' ? '1' : '2']);
    const banner = await terminal.untilShown(/easyserve \d+\.\d+\.\d+ serves .*?Ctrl-C.*?\r\n\r\n/s);
    const url = banner.match(/http:\/\/127\.0\.0\.1:\d+\//)?.[0] ?? '';
    try {
      await terminal.close();
      // The hangup is a reload too (docs/supervision.md), and what it writes goes nowhere.
      await eventually(async () => {
        const { stdout } = await runEasyserve(['status', '--json'], { cwd: dir });
        assert.equal(JSON.parse(stdout).generation, 2);
      });
      assert.equal((await ask(url, '/version')).status, 200);
    } finally {
      assert.equal((await runEasyserve(['stop'], { cwd: dir })).code, 0);
    }
  });
});

class Terminal {
  readonly #child: ChildProcessWithoutNullStreams;
  readonly #exited: Promise<unknown[]>;
  shown = '';

  constructor(t: TestContext, dir: string, flags: readonly string[]) {
    const command = [process.execPath, easyserveBin, 'start', '--host', '127.0.0.1', '--port', '0', ...flags];
    this.#child = spawn(testPython(), ['-c', pseudoTerminal, ...command], {
      cwd: dir,
      env: easyserveEnvironment({ TERM: 'xterm-256color', NO_COLOR: undefined, FORCE_COLOR: undefined }),
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

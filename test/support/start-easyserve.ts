import { spawn } from 'node:child_process';
import { randomUUID } from 'node:crypto';
import { mkdirSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { TestContext } from 'node:test';
import { copyFixture, createTempDir, type FixtureName } from './copy-fixture.js';
import { Easyserve } from './easyserve.js';
import type { Mode } from './for-each-mode.js';
import { type Environment, easyserveBin, easyserveEnvironment, testIdVariable } from './run-easyserve.js';

export interface StartOptions {
  readonly mode: Mode;
  /** Copied into a folder of the test's own. Either this or `dir`. */
  readonly fixture?: FixtureName;
  /** Served as it is; nothing below it is removed at the end. */
  readonly dir?: string;
  /** Written to easyserve.json before the start. */
  readonly settings?: Readonly<Record<string, unknown>>;
  readonly env?: Environment;
  /** Behind the flags that startEasyserve gives by itself. */
  readonly args?: readonly string[];
  /** A program, with its arguments, that becomes easyserve (exec) after what it does first. */
  readonly under?: readonly string[];
  /** Where stdout and stderr go, as a descriptor of this process. Default: to the records of Easyserve. */
  readonly output?: number;
  /** `under` leads the output elsewhere: it is not waited for, but asked whether it serves. */
  readonly isOutputHidden?: boolean;
  /** Default: 1 in single mode, 2 in cluster mode. */
  readonly processes?: number;
  /** Host, port and processes stand in easyserve.json instead of on the command line: for tests that change them. */
  readonly inFile?: boolean;
  /** Default: json. In `pretty` there is no ready record to wait for: use runEasyserve. */
  readonly readyWithinMs?: number;
  /** Called with the folder after it was copied, before the start. */
  readonly prepare?: (dir: string) => void;
}

/**
 * Starts the real program on a free port, and resolves when it is ready. Rejects with all that it printed when it exits
 * or is not ready in time.
 *
 * At the end of the test it is stopped. Then nothing may be left: no process that it started, no socket, no pid file, no
 * spooled body. What it printed is shown only when the test failed.
 */
export async function startEasyserve(t: TestContext, options: StartOptions): Promise<Easyserve> {
  const easyserve = spawnEasyserve(t, options);
  const isHidden = options.output !== undefined || options.isOutputHidden === true;
  const readyWithinMs = options.readyWithinMs ?? 60_000;
  await (isHidden ? easyserve.untilServing(readyWithinMs) : easyserve.untilReady(readyWithinMs));
  return easyserve;
}

/** The same without the wait, for tests of what happens before it is ready. */
export function spawnEasyserve(t: TestContext, options: StartOptions): Easyserve {
  const base = createTempDir();
  let easyserve: Easyserve | undefined;
  const killEverything = () => easyserve?.killEverything();
  process.on('exit', killEverything);
  // One hook for everything: hooks run in the order in which they came, and none after one that throws.
  t.after(async () => {
    let mayBeSilent = hasPassed(t);
    try {
      await easyserve?.end();
    } catch (error) {
      mayBeSilent = false;
      throw error;
    } finally {
      process.off('exit', killEverything);
      if (!mayBeSilent) t.diagnostic(outputOf(easyserve));
      rmSync(base, { recursive: true, force: true });
    }
  });
  const dir = prepareDir(base, options);
  easyserve = launch(dir, base, options);
  return easyserve;
}

function prepareDir(base: string, options: StartOptions): string {
  if ((options.fixture === undefined) === (options.dir === undefined)) {
    throw new Error('startEasyserve takes either a fixture or a dir');
  }
  const dir = options.dir ?? copyFixture(options.fixture ?? 'wsgi-hello', join(base, 'site'));
  const address = options.inFile ? { host: '127.0.0.1', port: 0, processes: processesOf(options) } : {};
  const settings = { ...address, ...options.settings };
  if (options.inFile || options.settings !== undefined) {
    writeFileSync(join(dir, 'easyserve.json'), JSON.stringify(settings, undefined, 2));
  }
  options.prepare?.(dir);
  return dir;
}

function processesOf({ mode, processes }: StartOptions): number {
  return processes ?? (mode === 'single' ? 1 : 2);
}

function launch(dir: string, base: string, options: StartOptions): Easyserve {
  const testId = randomUUID();
  const env = easyserveEnvironment({
    TMPDIR: makeTmp(base),
    JOURNAL_PROBES: '1',
    ...options.env,
    [testIdVariable]: testId,
  });
  const address = ['--host', '127.0.0.1', '--port', '0', '--processes', String(processesOf(options))];
  const flags = [...(options.inFile ? [] : address), '--log-format', 'json', ...(options.args ?? [])];
  // A process group of its own, so that a signal to it reaches nothing else, and the last resort reaches all of it.
  const [program = process.execPath, ...rest] = [
    ...(options.under ?? []),
    ...[process.execPath, easyserveBin, 'start', dir, ...flags],
  ];
  const child = spawn(program, rest, {
    cwd: dir,
    env,
    detached: true,
    stdio: ['ignore', options.output ?? 'pipe', options.output ?? 'pipe'],
  });
  return new Easyserve(child, { dir, tmp: env.TMPDIR ?? base, testId, env: options.env });
}

/** Temporary files of the program and of the application, apart from everybody else's. */
function makeTmp(base: string): string {
  const tmp = join(base, 'tmp');
  mkdirSync(tmp);
  return tmp;
}

/** TestContext has had it since Node 20.12; @types/node 20 does not know it. */
function hasPassed(t: TestContext): boolean {
  return (t as TestContext & { readonly passed: boolean }).passed;
}

function outputOf(easyserve: Easyserve | undefined): string {
  return easyserve === undefined ? 'easyserve was not started' : `easyserve printed:\n${easyserve.output}`;
}

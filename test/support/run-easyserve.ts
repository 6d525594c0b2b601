import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import { keepUser } from './keep-user.js';
import { testVirtualEnv } from './python-env.js';
import { repositoryRoot } from './repository.js';
import { withDeadline } from './with-deadline.js';

export interface CommandResult {
  /** Null when a signal ended it. */
  readonly code: number | null;
  readonly stdout: string;
  readonly stderr: string;
}

export type Environment = Readonly<Record<string, string | undefined>>;

/**
 * Marks every process of one startEasyserve; all descendants inherit it. Not EASYSERVE_…: those are settings, and an
 * unknown one stops the start.
 */
export const testIdVariable = 'TEST_INSTANCE_ID';

export const easyserveBin = join(repositoryRoot, 'bin', 'easyserve.js');
export const easyserveProgram = [process.execPath, easyserveBin] as const;

/**
 * Runs one command of easyserve to its end: verbs beside a running instance, and starts that must fail.
 *
 * Rejects after `timeoutMs` (the process is killed) with what it printed.
 */
export async function runEasyserve(
  args: readonly string[],
  options: {
    cwd: string;
    env?: Environment | undefined;
    timeoutMs?: number | undefined;
    /** What is run, with its first arguments. Default: easyserve of this checkout. */
    program?: readonly string[];
  },
): Promise<CommandResult> {
  const [program = '', ...first] = options.program ?? easyserveProgram;
  const child = spawn(program, [...first, ...args], {
    cwd: options.cwd,
    env: easyserveEnvironment(options.env),
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  const stdout = collect(child, 'stdout');
  const stderr = collect(child, 'stderr');
  const said = () => `easyserve ${args.join(' ')} has not ended\n${stdout()}${stderr()}`;
  try {
    const [code] = (await withDeadline(once(child, 'close'), options.timeoutMs ?? 60_000, said)) as [
      number | null,
    ];
    return { code, stdout: stdout(), stderr: stderr() };
  } finally {
    child.kill('SIGKILL');
  }
}

/** What the child has printed so far. */
function collect(child: ChildProcess, name: 'stdout' | 'stderr'): () => string {
  let text = '';
  child[name]?.setEncoding('utf8').on('data', (piece: string) => {
    text += piece;
  });
  return () => text;
}

/** The test's environment without what would set easyserve or lead its application elsewhere, with the prepared Python found as $VIRTUAL_ENV. */
export function easyserveEnvironment(more: Environment = {}): NodeJS.ProcessEnv {
  const own = Object.entries(process.env).filter(([name]) => !setsEasyserve(name));
  return { ...Object.fromEntries(own), VIRTUAL_ENV: testVirtualEnv(), ...keepUser, ...more };
}

/** Of the person who runs the tests, or of the service manager that runs them. */
const otherSettings: ReadonlySet<string> = new Set([
  ...['PORT', 'HOST', 'WEB_CONCURRENCY', 'NODE_OPTIONS', 'NODE_ENV', 'NODE_PATH', 'NODE_TEST_CONTEXT'],
  ...['DJANGO_SETTINGS_MODULE', 'PYTHONPATH', 'PYTHONHOME', 'PYTHONSTARTUP', 'UV_PROJECT_ENVIRONMENT'],
  ...['NOTIFY_SOCKET', 'WATCHDOG_USEC', 'WATCHDOG_PID', 'LISTEN_FDS', 'LISTEN_PID', 'LISTEN_FDNAMES'],
  ...['STATE_DIRECTORY', 'XDG_STATE_HOME', 'NO_COLOR', 'FORCE_COLOR'],
]);

function setsEasyserve(name: string): boolean {
  return name.startsWith('EASYSERVE_') || otherSettings.has(name);
}

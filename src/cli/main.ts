import { existsSync, readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { systemClock } from '../contracts/clock.js';
import { ExitCode } from '../contracts/errors.js';
import { ignoreStraySignals } from '../contracts/stray-signals.js';
import { openOutputs } from '../log/open-outputs.js';
import { systemReason } from '../log/output-news.js';
import { runCommandLine } from './run-command.js';

/** How long a server that has stopped waits until its last lines are read. */
const lastLinesMs = 2000;

/** The program; the only place that ends the process. */
export async function main(host: NodeJS.Process): Promise<void> {
  ignoreStraySignals();
  const outputClosed = new AbortController();
  const { stdout, stderr } = openOutputs(host, systemClock);
  let failure: unknown;
  stdout.onNews((news) => {
    if (news.kind === 'closed') outputClosed.abort();
    if (news.kind === 'failed') failure = news.error;
  });
  const argv = host.argv.slice(2);
  const exitCode = await runCommandLine(argv, {
    env: host.env,
    cwd: host.cwd(),
    stdout,
    stderr,
    signals: host,
    version: readPackageVersion(fileURLToPath(new URL('.', import.meta.url))),
    exec: { nodePath: host.execPath, nodeArgs: host.execArgv, script: host.argv[1] ?? '' },
    outputClosed: outputClosed.signal,
  });
  // `easyserve logs | less` is read for as long as the person likes; a server has to end.
  const timeoutMs = argv.includes('start') ? lastLinesMs : undefined;
  const remains = [await stdout.settle(timeoutMs), await stderr.settle(timeoutMs)];
  // exit() would wait for libuv's threads (uv_library_shutdown), and so for whoever does not read.
  if (remains.includes('stuck')) host.kill(host.pid, 'SIGKILL');
  // What a command prints is its work: `easyserve status > file` on a full disk has not done it.
  const isIncomplete = remains[0] === 'unwritten' && timeoutMs === undefined;
  if (isIncomplete && stderr !== stdout) {
    stderr.write(`easyserve: not everything could be printed: ${systemReason(failure)}.\n`);
    await stderr.settle(lastLinesMs);
  }
  host.exit(isIncomplete && exitCode === ExitCode.ok ? ExitCode.unexpected : exitCode);
}

/** The version in the nearest package.json above a file of ours: dist/ and the tests' build/ lie at different depths. */
function readPackageVersion(from: string): string {
  const file = join(from, 'package.json');
  if (existsSync(file)) return (JSON.parse(readFileSync(file, 'utf8')) as { version: string }).version;
  if (dirname(from) === from) throw new Error("easyserve's package.json is missing");
  return readPackageVersion(dirname(from));
}

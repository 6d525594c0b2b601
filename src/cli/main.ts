import { existsSync, readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import type { WriteStream } from 'node:tty';
import { fileURLToPath } from 'node:url';
import { systemClock } from '../contracts/clock.js';
import { BoundedOutput } from '../log/bounded-output.js';
import type { Output } from '../log/output.js';
import { runCommandLine } from './run-command.js';

/** How long a server that has stopped waits until its last lines are read. */
const lastLinesMs = 2000;

/** The program; the only place that ends the process. */
export async function main(host: NodeJS.Process): Promise<void> {
  const outputClosed = new AbortController();
  endQuietly(host.stdout, () => outputClosed.abort());
  endQuietly(host.stderr, () => undefined);
  const argv = host.argv.slice(2);
  const exitCode = await runCommandLine(argv, {
    env: host.env,
    cwd: host.cwd(),
    stdout: toOutput(host.stdout, host.env),
    stderr: toOutput(host.stderr, host.env),
    signals: host,
    version: readPackageVersion(fileURLToPath(new URL('.', import.meta.url))),
    exec: { nodePath: host.execPath, nodeArgs: host.execArgv, script: host.argv[1] ?? '' },
    outputClosed: outputClosed.signal,
  });
  // `easyserve logs | less` is read for as long as the person likes; a server has to end.
  const timeoutMs = argv.includes('start') ? lastLinesMs : undefined;
  await Promise.all([drain(host.stdout, timeoutMs), drain(host.stderr, timeoutMs)]);
  host.exit(exitCode);
}

/**
 * A reader that has seen enough (`easyserve logs | head`) is no error: EPIPE of a pipe, ECONNRESET of the socket pair that
 * Node's spawn makes. Nor is a closed terminal: EIO.
 */
const readerLeft = new Set(['EPIPE', 'ECONNRESET', 'EIO']);

function endQuietly(stream: WriteStream, onClosed: () => void): void {
  stream.on('error', (error: NodeJS.ErrnoException) => {
    if (!readerLeft.has(error.code ?? '')) throw error;
    onClosed();
  });
}

function toOutput(stream: WriteStream, env: NodeJS.ProcessEnv): Output {
  const isTerminal = stream.isTTY === true;
  const output = new BoundedOutput(stream, systemClock);
  return {
    write: (text) => output.write(text),
    takeLostLines: () => output.takeLostLines(),
    backpressure: output,
    isTerminal,
    // A pseudo-terminal whose size nobody set has no columns.
    columns: () => stream.columns || undefined,
    colour: wantsColour(isTerminal, env),
  };
}

/** By the rules of no-color.org and force-color.org. */
function wantsColour(isTerminal: boolean, env: NodeJS.ProcessEnv): boolean {
  if (env.NO_COLOR !== undefined && env.NO_COLOR !== '') return false;
  if (env.FORCE_COLOR !== undefined && env.FORCE_COLOR !== '') return env.FORCE_COLOR !== '0';
  return isTerminal && env.TERM !== 'dumb';
}

/** Pipes are written asynchronously (Node, "A note on process I/O"): exit() alone would lose what is still queued. */
function drain(stream: WriteStream, timeoutMs: number | undefined): Promise<void> {
  return new Promise((resolve) => {
    if (stream.destroyed || stream.writableLength === 0) return resolve();
    stream.write('', () => resolve());
    if (timeoutMs !== undefined) setTimeout(resolve, timeoutMs);
  });
}

/** The version in the nearest package.json above a file of ours: dist/ and the tests' build/ lie at different depths. */
function readPackageVersion(from: string): string {
  const file = join(from, 'package.json');
  if (existsSync(file)) return (JSON.parse(readFileSync(file, 'utf8')) as { version: string }).version;
  if (dirname(from) === from) throw new Error("easyserve's package.json is missing");
  return readPackageVersion(dirname(from));
}

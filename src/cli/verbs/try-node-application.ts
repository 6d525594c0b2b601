import { spawn } from 'node:child_process';
import { mkdtemp, rm } from 'node:fs/promises';
import { connect } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Release } from '../../app/pool/release.js';
import { AppProcess } from '../../app/process/app-process.js';
import { readRssBytes } from '../../app/process/process-memory.js';
import { NodeServer } from '../../app/servers/node-server.js';
import { systemClock } from '../../contracts/clock.js';
import { noBackpressure } from '../../log/backpressure.js';
import type { Log } from '../../log/log.js';

/** What it prints is told only where it does not come up: with the error. */
const silence: Log = {
  debug() {},
  access() {},
  application() {},
  info() {},
  warn() {},
  error() {},
  backpressureOf: () => noBackpressure,
  child: () => silence,
};

/**
 * Starts a Node.js application once, on a socket that nobody reaches, as a reload does before it commits; nothing is left of it. Its size
 * in memory, where that is known. Throws StartError.
 *
 * Whoever calls this has given root's rights up: the code of the project runs.
 */
export async function tryNodeApplication(
  release: Release,
  env: Readonly<Record<string, string | undefined>>,
): Promise<number | undefined> {
  const folder = await mkdtemp(join(tmpdir(), 'easyserve-check-'));
  const { readyTimeoutMs, killTimeoutMs } = release.settings;
  const socketPath = join(folder, 'app.sock');
  const application = new AppProcess({
    ...{ socketPath, readyTimeoutMs, spawn, connect, log: silence, clock: systemClock },
    plan: new NodeServer(env, process.execPath).plan(release, socketPath),
    kill: (pid, signal) => void process.kill(pid, signal),
    onTerminated: () => {},
  });
  try {
    await application.ready();
    return (await readRssBytes(application.pid)) ?? undefined;
  } finally {
    await application.stop(killTimeoutMs);
    await rm(folder, { recursive: true, force: true });
  }
}

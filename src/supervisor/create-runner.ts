import { spawn } from 'node:child_process';
import { readdir, rm } from 'node:fs/promises';
import { join } from 'node:path';
import type { Release } from '../app/pool/release.js';
import { ClusterRunner } from '../cluster/cluster-runner.js';
import type { WelcomeMessage } from '../cluster/messages.js';
import type { WorkerGroup } from '../cluster/worker-group.js';
import { systemClock } from '../contracts/clock.js';
import type { StateFolder } from '../control/state-folder.js';
import { createSingleRunner } from '../single/single-runner.js';
import type { Runner } from '../site/runner.js';
import { Site } from '../site/site.js';
import type { InstanceOutput } from './instance-output.js';
import { keepHeapSmall, letHeapGrow } from './supervisor-heap.js';

export interface RunnerOptions {
  readonly folder: StateFolder;
  /** What the application processes inherit. */
  readonly applicationEnv: Readonly<Record<string, string | undefined>>;
  readonly output: InstanceOutput;
  readonly workers: WorkerGroup;
}

/** Where the two modes part, at the start and at each restart. */
export function createRunner({ plan, settings }: Release, options: RunnerOptions): Runner {
  const { applicationEnv: env, output, workers } = options;
  const { runFolder, spoolFolder } = options.folder;
  const { log, format, isColoured: colour } = output;
  // A restart may bring another kind of site.
  if (plan.mode === 'single' && plan.processes === 0) letHeapGrow();
  else keepHeapSmall();
  const folders = { runFolder, spoolFolder };
  if (plan.mode === 'single') {
    const kill = (pid: number, signal: NodeJS.Signals | 0): void => void process.kill(pid, signal);
    const { pid } = process;
    return createSingleRunner(new Site({ spawn, kill, clock: systemClock, log, env, ...folders, pid }));
  }
  const welcome: WelcomeMessage = {
    ...{ kind: 'welcome', ...folders, env },
    log: { format, level: settings.logLevel, colour },
  };
  return new ClusterRunner({
    welcome,
    clock: systemClock,
    log,
    group: workers,
    takeOutput: (source, stream) => output.relay(source, stream),
    onWorkerGone: (pid) => removeLeftovers(pid, [runFolder, spoolFolder]),
  });
}

// Private

/** The sockets and spooled bodies of a worker that died: their names begin with its pid. */
async function removeLeftovers(pid: number, folders: readonly string[]): Promise<void> {
  for (const folder of folders) {
    for (const name of await listIfThere(folder)) {
      if (name.startsWith(`${pid}-`)) await rm(join(folder, name), { force: true });
    }
  }
}

/** When the whole instance stops, its folders may be gone before the last worker is. */
async function listIfThere(folder: string): Promise<string[]> {
  try {
    return await readdir(folder);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return [];
    throw error;
  }
}

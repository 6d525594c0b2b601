import { spawn } from 'node:child_process';
import type { Release } from '../app/pool/release.js';
import { ClusterRunner } from '../cluster/cluster-runner.js';
import type { WelcomeMessage } from '../cluster/messages.js';
import type { WorkerGroup } from '../cluster/worker-group.js';
import { systemClock } from '../contracts/clock.js';
import type { StateFolder } from '../control/state-folder.js';
import type { LogStream } from '../log/line-batch.js';
import type { Log } from '../log/log.js';
import type { Output } from '../log/output.js';
import { relayLines } from '../log/read-lines.js';
import { SingleRunner } from '../single/single-runner.js';
import type { Runner } from '../site/runner.js';
import { Site } from '../site/site.js';
import { removeLeftovers } from './leftovers.js';
import { keepHeapSmall, letHeapGrow } from './supervisor-heap.js';

export interface RunnerOptions {
  readonly folder: StateFolder;
  /** What the application processes inherit. */
  readonly applicationEnv: Readonly<Record<string, string | undefined>>;
  readonly log: Log;
  readonly logFormat: 'pretty' | 'json';
  readonly outputs: Readonly<Record<LogStream, Output>>;
  readonly workers: WorkerGroup;
  /** Takes the log lines of workers, which have logs of their own. */
  readonly takeLines: (lines: string, stream: LogStream) => void;
}

/** Where the two modes part. Called by launcher for its Instance, at the start and at each restart. */
export function createRunner({ plan, settings }: Release, options: RunnerOptions): Runner {
  const { log, applicationEnv: env, outputs } = options;
  const { runFolder, spoolFolder } = options.folder;
  // A restart may bring another kind of site.
  if (plan.mode === 'single' && plan.processes === 0) letHeapGrow();
  else keepHeapSmall();
  if (plan.mode === 'single') {
    return new SingleRunner(
      new Site({
        spawn,
        kill: (pid, signal) => void process.kill(pid, signal),
        clock: systemClock,
        log,
        env,
        runFolder,
        spoolFolder,
        pid: process.pid,
      }),
    );
  }
  const { logLevel: level } = settings;
  const welcome: WelcomeMessage = {
    kind: 'welcome',
    runFolder,
    spoolFolder,
    env,
    log: { format: options.logFormat, level, colour: outputs.stdout.colour },
  };
  return new ClusterRunner({
    welcome,
    clock: systemClock,
    log,
    group: options.workers,
    takeOutput: (source, stream) =>
      relayLines(source, outputs[stream].backpressure, (lines) => options.takeLines(lines, stream)),
    onWorkerGone: (pid) => removeLeftovers(pid, [runFolder, spoolFolder]),
  });
}

import { totalmem } from 'node:os';
import { Worker } from 'node:worker_threads';
import type { Clock } from '../../contracts/clock.js';
import type { Log } from '../../log/log.js';
import type { LaunchPlan, ThreadPlan } from '../servers/application-server.js';
import type { Execute, Execution, Kill, Spawn } from './execution.js';
import { MovableExecution } from './movable-execution.js';
import { ProcessExecution } from './process-execution.js';
import { ThreadExecution } from './thread-execution.js';
import { ThreadFitness } from './thread-fitness.js';
import { chooseThreadMemoryLimits, ThreadMemory } from './thread-memory.js';

/** Starts what a plan describes. Used by Site. */
export function executePlans(spawn: Spawn, kill: Kill, clock: Clock, log: Log): Execute {
  const fitness = new ThreadFitness(
    { current: () => process.cwd(), enter: (path) => process.chdir(path) },
    log,
  );
  const memory = new ThreadMemory(
    chooseThreadMemoryLimits(totalmem(), process.constrainedMemory()),
    { rssBytes: () => process.memoryUsage.rss(), ownBytes: measureMainThread },
    clock,
  );
  const startProcess = (plan: LaunchPlan): Execution => new ProcessExecution(plan, spawn, kill);
  const startThread = (plan: LaunchPlan, thread: ThreadPlan): Execution => {
    return new MovableExecution({
      startThread: (onUnfit) => {
        const started = new ThreadExecution({ thread, startWorker, memory, onUnfit });
        fitness.hold(plan.cwd, started.ended);
        return started;
      },
      startProcess: () => startProcess(plan),
      onUnfit: (reason) => fitness.refuse(thread, reason),
    });
  };
  return (plan) => {
    const { thread } = plan;
    return thread !== undefined && fitness.allows(plan, thread)
      ? startThread(plan, thread)
      : startProcess(plan);
  };
}

// Private

function startWorker(...args: ConstructorParameters<typeof Worker>): Worker {
  return new Worker(...args);
}

function measureMainThread(): number {
  const { heapTotal, external } = process.memoryUsage();
  return heapTotal + external;
}

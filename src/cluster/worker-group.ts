import cluster, { type Worker } from 'node:cluster';
import { fileURLToPath } from 'node:url';
import { withoutDebugger } from '../contracts/stray-signals.js';

const preload = fileURLToPath(new URL('./worker-preload.js', import.meta.url));

/**
 * Signals that throng would answer by killing the workers and exiting after a grace time. It merges the list with its defaults
 * by index, so an empty list means its defaults: these two take their places, and are no signals, so that nothing emits them.
 * Only the launcher handles signals.
 */
const unusedSignals = ['no-signal', 'no-second-signal'] as const;

/**
 * Forks workers: the first ones with throng, any further one with node:cluster. One object a process, because throng adds
 * listeners to it. throng is loaded only when there is a cluster.
 *
 * A lifetime of 0 keeps throng from forking again by itself: ClusterRunner does that, with the backoff, reload and hard kill
 * that throng lacks.
 */
export class WorkerGroup {
  readonly #entry: string;
  #hasThrong = false;
  #onWorker: (worker: Worker) => void = () => {};

  /** `entry`: the compiled file that the workers run. */
  constructor(entry: string) {
    this.#entry = entry;
  }

  /** Each worker arrives at `onWorker`, these and all that add() forks. */
  async start(count: number, onWorker: (worker: Worker) => void): Promise<void> {
    this.#onWorker = onWorker;
    if (this.#hasThrong) {
      // After easyserve restart throng has added its listeners already.
      for (let index = 0; index < count; index += 1) this.add();
      return;
    }
    const { default: throng } = await import('throng');
    this.#hasThrong = true;
    const execArgv = [...process.execArgv, ...withoutDebugger, '--require', preload];
    cluster.setupPrimary({ exec: this.#entry, args: [], execArgv, silent: true });
    cluster.on('fork', (worker) => this.#onWorker(worker));
    const unexpected = (): never => {
      throw new Error('the primary ran as a worker');
    };
    await throng({ count, lifetime: 0, signals: [...unusedSignals], master: () => {}, worker: unexpected });
  }

  add(): void {
    cluster.fork();
  }
}

/** In a worker: runs `work`. */
export async function runAsWorker(work: () => void): Promise<void> {
  const { default: throng } = await import('throng');
  await throng({ count: 1, lifetime: 0, worker: work });
}

import cluster, { type Worker } from 'node:cluster';

/**
 * Signals that throng would answer by killing the workers and exiting after a grace time. It fills an empty list up with
 * its defaults, by index, so two names stand in their place that are no signals, and that nobody emits: launcher alone
 * handles signals. (SIGWINCH would not do: a terminal that is resized sends it.)
 */
const unusedSignals = ['no-signal', 'no-second-signal'] as const;

/**
 * Forks workers: the first ones with throng, any further one by itself. One object a process; the only file that imports
 * throng, and only when there is a cluster.
 *
 * throng splits primary and worker and forks. Restarting, reload, backoff and the hard kill, which it lacks, are
 * ClusterRunner's: a lifetime of 0 keeps throng from forking again by itself.
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
      // easyserve restart: throng's listeners stand already.
      for (let index = 0; index < count; index += 1) this.add();
      return;
    }
    const { default: throng } = await import('throng');
    this.#hasThrong = true;
    cluster.setupPrimary({ exec: this.#entry, args: [], silent: true });
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
